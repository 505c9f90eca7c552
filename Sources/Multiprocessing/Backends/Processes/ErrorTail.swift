/// The last lines that a worker wrote to its standard error.
///
/// Used on the loop's thread only.
final class ErrorTail {
    private static let limit = 4_096

    private var bytes: [UInt8] = []

    func append(_ more: UnsafeRawBufferPointer) {
        // One byte more than is told, which shows that there was something before it.
        bytes.append(contentsOf: more.suffix(Self.limit + 1))
        if bytes.count > 2 * Self.limit { bytes.removeFirst(bytes.count - Self.limit - 1) }
    }

    /// At most 4 KiB, from the start of a line where there is one.
    var text: String {
        var tail = bytes.suffix(Self.limit)
        let isCut = tail.count < bytes.count
        // First, so that the end of the last line is not taken for the start of another.
        while tail.last == UInt8(ascii: "\n") { tail = tail.dropLast() }
        if isCut, let newline = tail.firstIndex(of: UInt8(ascii: "\n")) {
            tail = tail[(newline + 1)...]
        }
        return String(decoding: tail, as: UTF8.self)
    }
}
