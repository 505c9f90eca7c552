import Foundation
import Multiprocessing
import TestSupport
import Testing

/// Carries memory, and does not look for it where it arrives.
private struct Unopened: Codable, Sendable {
    var memory: SharedMemory?

    init(_ memory: SharedMemory) { self.memory = memory }
    func encode(to encoder: any Encoder) throws { try memory?.encode(to: encoder) }
    init(from decoder: any Decoder) throws {}
}

/// What a process and its only worker had open before and after.
private struct Balance: Codable, Sendable {
    var before: [OpenThings]
    var after: [OpenThings]
}

private func memories(_ count: Int) throws -> [SharedMemory] {
    try (0..<count).map { _ in try SharedMemory(byteCount: 4_096) }
}

/// Runs `body` with a pool of one worker, and counts around it what the two processes have open.
private func balance(slack: Int = 0, _ body: @Sendable (Pool) async throws -> Void) async throws -> Balance {
    // What a template has open is counted with it.
    let pool = try Pool(.processes(starts: .separate), workers: 1)
    // The first slab stays.
    let slot = try SharedValue(0)
    try await pool.run(slot) { try $0.store(1) }
    try await pool.run { _ = try SharedValue(0) }
    let before = [try OpenThings.count(), try await pool.run { try OpenThings.count() }]
    try await body(pool)
    let after = [
        try await OpenThings.settled(at: before[0], slack: slack),
        try await OpenThings.settled(at: before[1], slack: slack) { try await pool.run { try OpenThings.count() } },
    ]
    withExtendedLifetime(slot) {}
    await pool.terminate()
    return Balance(before: before, after: after)
}

private func sendInputs() async throws -> Balance {
    try await balance { pool in
        for _ in 0..<50 {
            let sizes = try await pool.map(try memories(200)) { memory in
                memory.withUnsafeBytes { $0[0] = 1 }
                return memory.byteCount
            }
            guard sizes == Array(repeating: 4_096, count: 200) else { throw CocoaError(.coderInvalidValue) }
        }
    }
}

private func sendUnopened() async throws -> Balance {
    try await balance { pool in
        for _ in 0..<10 { _ = try await pool.map(try memories(200).map(Unopened.init)) { $0.memory == nil } }
    }
}

private func receiveOutputs() async throws -> Balance {
    try await balance { pool in
        for _ in 0..<10 {
            let made = try await pool.map(0..<200) { _ in try SharedMemory(byteCount: 8) }
            let back = try await pool.map(made) { $0 }
            guard back == made else { throw CocoaError(.coderInvalidValue) }
        }
    }
}

private func sendSlots() async throws -> Balance {
    try await balance(slack: 1) { pool in
        for _ in 0..<50 {
            let values = try (0..<200).map { try SharedValue($0) }
            let back = try await pool.map(values) { value in
                try value.withLock {
                    $0 += 1
                    return value
                }
            }
            guard back == values else { throw CocoaError(.coderInvalidValue) }
        }
    }
}

private func takeBack() async throws -> Balance {
    try await balance { pool in
        let gate = try SharedValue(false)
        let busy = pool.submit { while try !gate.load() { usleep(500) } }
        let waiting = try memories(500).map { memory in pool.submit(memory) { $0.byteCount } }
        // More than the socket has room for, which waits with the busy worker.
        let large = try (0..<3).map { _ in pool.submit(try memories(400)) { $0.count } }
        for future in waiting + large { future.cancel() }
        try await gate.store(true)
        try await busy.value
        for future in waiting + large { _ = try? await future.value }
    }
}

private func killWorkers() async throws -> Balance {
    try await balance { pool in
        for _ in 0..<15 {
            let sent = try memories(40)
            let waiting = sent.map { memory in pool.submit(memory) { $0.byteCount } }
            _ = try? await pool.run(sent) { sent in
                _ = sent.count
                kill(getpid(), SIGKILL)
            }
            for future in waiting { _ = try? await future.value }
        }
        // Both slabs, in the new worker.
        try await pool.run { _ = try SharedValue(0) }
    }
}

/// After thousands of handles nothing is open that was not before.
///
/// Each in a process of its own, a worker with a worker, so that no other test shares anything there.
@Suite(.admitted)
struct HandleLeakTests {
    private func expectBalanced(
        _ balance: Balance, within slack: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (before, after) in zip(balance.before, balance.after) {
            #expect(after.isWithin(before, slack: slack), "\(before) \(after)", sourceLocation: sourceLocation)
        }
    }

    private func inItsOwnProcess(_ body: @escaping @Sendable (Pool) async throws -> Balance) async throws -> Balance {
        try await TestBackend.processes.withPool(workers: 1, body)
    }

    @Test("10,000 sent to a worker")
    func inputs() async throws {
        expectBalanced(try await inItsOwnProcess { try await $0.run { try await sendInputs() } })
    }

    @Test("2,000 sent and never looked at")
    func unopened() async throws {
        expectBalanced(try await inItsOwnProcess { try await $0.run { try await sendUnopened() } })
    }

    @Test("2,000 made by a worker, sent back to it and returned")
    func outputs() async throws {
        expectBalanced(try await inItsOwnProcess { try await $0.run { try await receiveOutputs() } })
    }

    @Test("10,000 in slots, there and back")
    func slots() async throws {
        // The slab in use is another by now.
        expectBalanced(try await inItsOwnProcess { try await $0.run { try await sendSlots() } }, within: 1)
    }

    @Test("1,700 whose work was taken back")
    func takenBack() async throws {
        expectBalanced(try await inItsOwnProcess { try await $0.run { try await takeBack() } })
    }

    @Test("600 sent to workers that die")
    func killed() async throws {
        expectBalanced(try await inItsOwnProcess { try await $0.run { try await killWorkers() } })
    }
}
