import MultiprocessingCoding

/// A chunk as worker processes get it: what to run, and the encoded inputs.
///
/// Of few parts, because it is looked at often, and each look retains them all.
package struct PortableChunk: Sendable {
    let definition: FunctionDefinition
    private let work: PortableWork
    let inputs: ByteBuffer

    /// What most chunks do not have.
    private let extras: Extras?

    /// The size of each item; `nil` when each says its own in the eight bytes before it.
    let itemSize: Int?

    /// Where in `inputs` the first item lies.
    private var start = 0

    private final class Extras: Sendable {
        let attachments: [Attachment]
        let array: OwnedBytes?

        init(_ attachments: [Attachment], _ array: OwnedBytes?) {
            self.attachments = attachments
            self.array = array
        }
    }

    /// - Parameters:
    ///   - attachments: What the inputs refer to.
    ///   - array: The only input, if it is sent from its own memory; then there are no others.
    init(
        definition: FunctionDefinition, work: PortableWork, inputs: ByteBuffer, attachments: [Attachment] = [],
        array: OwnedBytes? = nil, itemSize: Int?
    ) {
        self.definition = definition
        self.work = work
        self.inputs = inputs
        self.itemSize = itemSize
        extras = attachments.isEmpty && array == nil ? nil : Extras(attachments, array)
    }

    /// What the items share.
    var context: SharedInput? { work.context }

    /// The values of main.swift's variables that the worker has to know.
    var variables: [SentVariable.Value] { work.variables }

    /// The only input, if it is sent from its own memory.
    var array: OwnedBytes? { extras?.array }

    /// How many bytes the chunk keeps in memory while it waits.
    var size: Int { inputs.count + (array?.bytes.count ?? 0) }

    /// Calls `body` with all that the worker has to have before the chunk.
    func forEachAttachment(_ body: (Attachment) -> Void) {
        if let context { body(context) }
        if let extras {
            for attachment in extras.attachments { body(attachment) }
        }
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
