import MultiprocessingCoding

/// A chunk as worker processes get it: what to run, and the encoded inputs.
package struct PortableChunk: Sendable {
    let definition: FunctionDefinition
    /// What the items share.
    let context: SharedInput?
    let inputs: ByteBuffer

    /// What the inputs refer to.
    var attachments: [Attachment] = []

    /// The values of main.swift's variables that the worker has to know.
    var variables: [SentVariable.Value] = []

    /// The only input, if it is sent from its own memory; then there are no others.
    var array: OwnedBytes?

    /// The size of each item; `nil` when each says its own in the eight bytes before it.
    let itemSize: Int?

    /// Where in `inputs` the first item lies.
    var start = 0

    /// How many bytes the chunk keeps in memory while it waits.
    var size: Int { inputs.count + (array?.bytes.count ?? 0) }

    /// Calls `body` with all that the worker has to have before the chunk.
    func forEachAttachment(_ body: (Attachment) -> Void) {
        if let context { body(context) }
        for attachment in attachments { body(attachment) }
        for variable in variables {
            for attachment in variable.attachments { body(attachment) }
        }
    }

    /// The bytes of the items with these numbers.
    func items(_ range: Range<Int>) -> Range<Int> {
        let first = place(behind: range.lowerBound, from: start)
        return first..<place(behind: range.count, from: first)
    }

    /// The chunk without its first `count` items.
    func part(from count: Int) -> PortableChunk {
        var part = self
        part.start = place(behind: count, from: start)
        return part
    }

    /// Where the items end of which `count` begin at `place`.
    private func place(behind count: Int, from place: Int) -> Int {
        if let itemSize { return place + count * itemSize }
        return inputs.withUnsafeBytes { bytes in
            (0..<count).reduce(place) { place, _ in
                place + 8 + Int(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            }
        }
    }
}
