import Glibc

/// The words of a file that begin between two places in it.
///
/// A word belongs to the piece in which it begins, wherever it ends. So a file can be cut at
/// any byte, without looking into it, and each word is in one piece.
struct Piece: Codable {
    let path: Path
    let start: Int
    let end: Int
    /// Whether the piece is the whole file.
    let isWhole: Bool

    /// The piece's bytes: from its first word on, to the end of its last.
    func read() throws(Problem) -> [UInt8] {
        let descriptor = open(path.bytes, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .lastError(path) }
        defer { close(descriptor) }

        // One byte more on the left tells whether the piece begins within a word.
        let origin = max(0, start - 1)
        var bytes = try read(descriptor, from: origin, count: end - origin)
        if bytes.contains(0) { throw .binary(path) }
        while let last = bytes.last, last.isLetter {
            let tail = try read(descriptor, from: origin + bytes.count, count: 4_096)
            guard let wordEnd = tail.firstIndex(where: { !$0.isLetter }) else {
                bytes += tail
                if tail.isEmpty { break } else { continue }
            }
            bytes += tail[...wordEnd]
        }
        if start > 0 {
            bytes.removeFirst(bytes.firstIndex { !$0.isLetter } ?? bytes.count)
        }
        return bytes
    }

    /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
    private func read(_ descriptor: Int32, from offset: Int, count: Int) throws(Problem) -> [UInt8] {
        var isFailed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            while done < count {
                let read = pread(descriptor, buffer.baseAddress! + done, count - done, offset + done)
                if read < 0 && errno == EINTR { continue }
                isFailed = read < 0
                if read <= 0 { break }
                done += read
            }
        }
        if isFailed { throw .lastError(path) }
        return bytes
    }
}

extension UInt8 {
    /// Whether the byte is one of A–Z and a–z.
    var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }
}
