import MultiprocessingCoding

/// A chunk as worker processes get it: what to run, and the encoded inputs.
///
/// A class, because it is looked at often, and to copy a structure is to retain all that it holds.
package final class PortableChunk: Sendable {
    let definition: FunctionDefinition
    /// What the items share.
    let context: SharedInput?
    let inputs: ByteBuffer

    /// What the inputs refer to.
    let attachments: [Attachment]

    /// The values of main.swift's variables that the worker has to know.
    let variables: [SentVariable.Value]

    /// The only input, if it is sent from its own memory; then there are no others.
    let array: OwnedBytes?

    /// The size of each item; `nil` when each says its own in the eight bytes before it.
    let itemSize: Int?

    /// Where in `inputs` the first item lies.
    private let start: Int

    init(
        definition: FunctionDefinition, context: SharedInput?, inputs: ByteBuffer, attachments: [Attachment] = [],
        variables: [SentVariable.Value], array: OwnedBytes? = nil, itemSize: Int?, start: Int = 0
    ) {
        self.definition = definition
        self.context = context
        self.inputs = inputs
        self.attachments = attachments
        self.variables = variables
        self.array = array
        self.itemSize = itemSize
        self.start = start
    }

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
        PortableChunk(
            definition: definition, context: context, inputs: inputs, attachments: attachments, variables: variables,
            array: array, itemSize: itemSize, start: place(behind: count, from: start))
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
