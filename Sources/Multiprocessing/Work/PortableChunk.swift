import MultiprocessingCoding
import Synchronization

/// A chunk as worker processes get it: what to run, and the encoded inputs.
package struct PortableChunk: Sendable {
    let definition: FunctionDefinition
    let context: SharedInput?
    let inputs: ByteBuffer

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

/// The way to a worker that was sent what the items of a call share.
protocol SharedInputHolder: AnyObject, Sendable {
    /// Tells the worker that it is not needed any more.
    func forget(context: UInt64)
}

/// What all items of one call share, encoded once.
///
/// A worker is sent it with the first chunk that needs it, and forgets it when the call is over.
final class SharedInput: Sendable {
    let id: UInt64
    let bytes: ByteBuffer

    private struct Holder {
        weak var holder: (any SharedInputHolder)?
    }

    private let holders = Mutex<[Holder]>([])
    private static let count = Atomic<UInt64>(0)

    init(_ bytes: ByteBuffer) {
        self.bytes = bytes
        id = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
    }

    deinit {
        for holder in holders.withLock({ $0 }) { holder.holder?.forget(context: id) }
    }

    /// Remembers a worker that has been sent the context.
    func addHolder(_ holder: any SharedInputHolder) {
        holders.withLock { holders in
            guard !holders.contains(where: { $0.holder === holder }) else { return }
            holders.removeAll { $0.holder == nil }
            holders.append(Holder(holder: holder))
        }
    }
}
