import Dispatch
import Multiprocessing
import Synchronization

/// Holds up the thread on which the parent reads what workers send, for as long as it is closed.
///
/// While it does, a large value stays half written in the worker, and a large input half read.
final class Gate: Sendable {
    private let reached = Atomic(false)
    private let processID = Atomic<Int32>(0)
    private let opened = DispatchSemaphore(value: 0)
    private let id: Int

    private static let gates = Mutex<[Int: Gate]>([:])
    private static let nextID = Atomic(1)

    init() {
        id = Self.nextID.wrappingAdd(1, ordering: .relaxed).newValue
        Self.gates.withLock { $0[id] = self }
    }

    /// An item whose value holds up its reader.
    var item: Item { Item(id: id) }

    /// The worker whose value is being held up; nil until one is.
    var heldWorker: Int32? {
        reached.load(ordering: .acquiring) ? processID.load(ordering: .relaxed) : nil
    }

    func open() {
        _ = Self.gates.withLock { $0.removeValue(forKey: id) }
        opened.signal()
    }

    private func pass(_ worker: Int32) {
        processID.store(worker, ordering: .relaxed)
        reached.store(true, ordering: .releasing)
        _ = opened.wait(timeout: .now() + 20)
    }

    struct Item: Job {
        let id: Int

        func run() -> Value { Value(id: id, worker: Worker.current?.processID ?? 0) }
    }

    struct Value: Codable {
        let id: Int
        let worker: Int32

        init(id: Int, worker: Int32) {
            self.id = id
            self.worker = worker
        }

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            id = try container.decode(Int.self)
            worker = try container.decode(Int32.self)
            Gate.gates.withLock { [id] in $0[id] }?.pass(worker)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(id)
            try container.encode(worker)
        }
    }
}
