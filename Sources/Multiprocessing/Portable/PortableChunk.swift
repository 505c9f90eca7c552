import MultiprocessingCoding
import Synchronization

/// A chunk as worker processes get it: what to run, and the encoded inputs.
package struct PortableChunk: Sendable {
    let definition: FunctionDefinition
    let context: CallContext?
    let inputs: ByteBuffer

    /// The size of each item; `nil` when each says its own in the eight bytes before it.
    let itemSize: Int?

    /// How many bytes the chunk keeps in memory while it waits.
    var size: Int { inputs.count }

    /// The bytes of the items from the one at `index` on.
    func items(from index: Int) -> Range<Int> {
        if let itemSize { return index * itemSize..<inputs.count }
        var start = 0
        inputs.withUnsafeBytes { bytes in
            for _ in 0..<index {
                start += 8 + Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            }
        }
        return start..<inputs.count
    }
}

/// What all items of one call share, encoded once.
///
/// A worker is sent it with the first chunk that needs it, and forgets it when the call is over.
final class CallContext: Sendable {
    let id: UInt64
    let bytes: ByteBuffer

    private struct Holder {
        weak var link: WorkerLink?
    }

    private let holders = Mutex<[Holder]>([])
    private static let count = Atomic<UInt64>(0)

    init(_ bytes: ByteBuffer) {
        self.bytes = bytes
        id = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
    }

    deinit {
        for holder in holders.withLock({ $0 }) { holder.link?.forget(context: id) }
    }

    /// Remembers a worker that has been sent the context.
    func addHolder(_ link: WorkerLink) {
        holders.withLock { holders in
            guard !holders.contains(where: { $0.link === link }) else { return }
            holders.removeAll { $0.link == nil }
            holders.append(Holder(link: link))
        }
    }
}
