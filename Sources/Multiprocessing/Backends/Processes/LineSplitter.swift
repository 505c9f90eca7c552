/// Cuts what a worker writes to one stream into lines.
struct LineSplitter {
    /// A line of more bytes comes in pieces of at most this size.
    static let longest = 64 << 10

    private let worker: Int
    private let stream: WorkerOutput.Stream
    private var rest: [UInt8] = []

    init(_ worker: Int, _ stream: WorkerOutput.Stream) {
        self.worker = worker
        self.stream = stream
    }

    /// The lines that end in `bytes`; what is behind the last one is kept.
    mutating func split(_ bytes: UnsafeRawBufferPointer) -> [WorkerOutput.Line] {
        var lines: [WorkerOutput.Line] = []
        var left = UnsafeRawBufferPointer(rebasing: bytes[...])
        while let end = left.firstIndex(of: UInt8(ascii: "\n")) {
            add(left[..<end], to: &lines)
            lines.append(takeRest())
            left = UnsafeRawBufferPointer(rebasing: left[(end + 1)...])
        }
        add(left[...], to: &lines)
        return lines
    }

    /// What was written behind the last line's end, when nothing more comes.
    mutating func finish() -> [WorkerOutput.Line] {
        rest.isEmpty ? [] : [takeRest()]
    }

    private mutating func add(_ bytes: Slice<UnsafeRawBufferPointer>, to lines: inout [WorkerOutput.Line]) {
        rest.append(contentsOf: bytes)
        while rest.count > Self.longest {
            let piece = rest[..<Self.cut(rest)]
            lines.append(line(piece))
            rest.removeFirst(piece.count)
        }
    }

    /// Where to cut, so that no character is cut, if these are characters.
    private static func cut(_ bytes: [UInt8]) -> Int {
        var end = longest
        while end > longest - 4, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return bytes[end] & 0xC0 == 0x80 ? longest : end
    }

    private mutating func takeRest() -> WorkerOutput.Line {
        defer { rest.removeAll(keepingCapacity: rest.capacity <= 4_096) }
        return line(rest[...])
    }

    private func line(_ bytes: ArraySlice<UInt8>) -> WorkerOutput.Line {
        WorkerOutput.Line(worker: worker, stream: stream, text: String(decoding: bytes, as: UTF8.self))
    }
}
