import Glibc
import Multiprocessing

/// Queues work that no worker gets to, in a process of its own that has done nothing before.
enum QueuedWork {
    /// How many bytes the process grows by.
    static func bytes(_ backend: MeasuredBackend, items: Int, keepsFutures: Bool) async throws -> Int {
        let pool = try backend.pool(workers: 1)
        // What is made once for a closure is there before the first look.
        let warmUp = try await pool.run(1) { $0 + 1 }
        // Holds the only worker for longer than all this takes.
        let blocker = pool.submit { usleep(600_000_000) }
        let process = ProcessFacts(processID: getpid())
        var futures: [Future<Int>] = []
        if keepsFutures { futures.reserveCapacity(items) }
        let before = try process.memory("Private_Dirty")
        for number in 0..<items {
            let future = pool.submit(number + warmUp) { $0 + 1 }
            if keepsFutures { futures.append(future) }
        }
        let bytes = try process.memory("Private_Dirty") - before
        // All three have to live until here, or nothing would be held.
        withExtendedLifetime((pool, futures, blocker)) {}
        guard !blocker.isFinished, futures.count == (keepsFutures ? items : 0) else {
            throw WrongResult(description: "memory: the work was not queued")
        }
        return Int(bytes)
    }
}
