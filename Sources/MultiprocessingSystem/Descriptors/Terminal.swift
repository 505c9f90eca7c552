internal import Glibc

/// A terminal that text is written to for a person to read.
package struct Terminal: Sendable {
    private let number: DescriptorNumber

    /// The terminal behind a descriptor; `nil` if there is none.
    package init?(_ number: DescriptorNumber) {
        guard isatty(number.rawValue) == 1 else { return nil }
        self.number = number
    }

    /// How many characters a line has; a guess where the terminal does not say.
    package var width: Int {
        var size = winsize()
        guard ioctl(number.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes text, unbuffered; what the terminal does not take at once is lost.
    package func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            _ = Glibc.write(number.rawValue, bytes.baseAddress, bytes.count)
        }
    }
}
