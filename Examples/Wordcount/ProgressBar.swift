import Glibc

/// A bar on standard error that fills as bytes are counted; nothing where that is no terminal.
struct ProgressBar {
    private static let width = 40

    private let total: Int
    private let isVisible = isatty(STDERR_FILENO) == 1
    private var done = 0
    private var percent = -1

    init(total: Int) {
        self.total = total
    }

    /// Draws the bar anew if that makes a difference.
    mutating func advance(by count: Int) {
        done += count
        let now = total == 0 ? 100 : 100 * done / total
        guard isVisible, now != percent else { return }
        percent = now
        let filled = Self.width * now / 100
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
        writeError("\r[\(bar)] \(now) %")
    }

    /// Takes the bar away.
    func clear() {
        if isVisible { writeError("\r\u{1B}[K") }
    }
}

/// Writes to standard error, unbuffered.
func writeError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
        _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
}
