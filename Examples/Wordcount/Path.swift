import Glibc

/// The name of a file, byte for byte: on Linux it need not be Unicode.
struct Path: Hashable, Codable, Comparable, CustomStringConvertible {
    /// Ends with a zero, as the system takes it.
    let bytes: [CChar]

    init(_ text: String) {
        bytes = text.utf8.map { CChar(bitPattern: $0) } + [0]
    }

    init(cString: UnsafePointer<CChar>) {
        bytes = Array(UnsafeBufferPointer(start: cString, count: strlen(cString) + 1))
    }

    private init(bytes: [CChar]) {
        self.bytes = bytes
    }

    /// The path of an entry of this directory.
    func appending(_ name: Path) -> Path {
        Path(bytes: bytes.dropLast() + [CChar(bitPattern: UInt8(ascii: "/"))] + name.bytes)
    }

    var description: String {
        String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func < (left: Path, right: Path) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
