import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// The variables of main.swift to which this worker process was sent values, since main.swift never runs in it.
final class ReceivedVariables: Sendable {
    static let shared = ReceivedVariables()

    private struct State {
        /// Those that hold a value, by address.
        var initialized: Set<UInt> = []
        /// What went wrong with the last value of the others, by number.
        var failures: [UInt32: any Error] = [:]
    }

    private let state = Mutex(State())
    private let isWorker = Atomic(false)

    /// Whether the variables have only the values that were sent, because main.swift does not run in this process.
    var areAwaited: Bool { isWorker.load(ordering: .relaxed) }

    /// Says that this process is a worker, in which main.swift does not run.
    func awaitAll() {
        isWorker.store(true, ordering: .relaxed)
    }

    func contains(_ address: UInt) -> Bool {
        state.withLock { $0.initialized.contains(address) }
    }

    /// Sets a variable; what is wrong with the value fails the work that may use it.
    func receive(_ id: UInt32, _ incoming: inout Incoming) {
        do {
            try receive(&incoming)
            state.withLock { $0.failures[id] = nil }
        } catch {
            state.withLock { $0.failures[id] = error }
        }
    }

    private func receive(_ incoming: inout Incoming) throws {
        var reference = try ReferenceReader(sealed: Array(try incoming.reader.readItem()))
        let address = try ImageAddress(decoding: &reference)
        let type = try TypeReference(decoding: &reference).resolve()
        let shape = try ShapeTable.shared.shape(of: type)
        let place = try address.resolve(count: max(ValueWitness(type).size, 1), content: .data)
        // Safe: in a worker nothing but this and work writes the variable, and no work runs now.
        let target = UnsafeMutableRawPointer(mutating: place)
        let key = UInt(bitPattern: place)
        if state.withLock({ $0.initialized.remove(key) }) != nil { shape.destroy(at: target) }
        do {
            try shape.decode(to: target, from: &incoming)
        } catch {
            throw PoolError.notDecodable(type, as: "variable of main.swift", error)
        }
        state.withLock { _ = $0.initialized.insert(key) }
    }

    /// - Throws: What was wrong with the value of one of these variables.
    func check(_ ids: [UInt32]) throws {
        guard !ids.isEmpty else { return }
        try state.withLock { state in
            for id in ids {
                if let failure = state.failures[id] { throw failure }
            }
        }
    }
}
