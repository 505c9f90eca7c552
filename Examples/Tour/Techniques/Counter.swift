import Multiprocessing

/// Five workers count to a number each, all on one counter: the answer to the question below the article.
enum Counter: Program {
    static let about = "five threads and one counter, without a lock and with it"

    static func run(on stage: Stage) async throws {
        let times = stage.isShort ? 10_000 : 100_000

        var (steps, count) = (times, 5 * times)
        // Whether two are at it at once is the scheduler's to say: the longer it takes, the more likely it is.
        while count == 5 * steps {
            steps *= 2
            count = try await countTogether(on: stage, steps) { counter in
                // Read, add, write: what another has written in between is lost.
                try counter.store(try counter.load() + 1)
            }
            try insist(steps < 1 << 26, "no count was lost without a lock")
        }
        say("without a lock \(count) of \(5 * steps)")

        let locked = try await countTogether(on: stage, times) { counter in try counter.withLock { $0 += 1 } }
        say("with a lock \(locked) of \(5 * times)")
        try expect(locked, is: 5 * times, "the count with a lock")
    }

    /// What the counter stands at when five workers have added to it.
    ///
    /// - Parameters:
    ///   - stage: Where they run.
    ///   - times: How often each adds.
    ///   - add: Adds one.
    private static func countTogether(
        on stage: Stage,
        _ times: Int,
        _ add: @escaping @Sendable (SharedValue<Int>) throws -> Void
    ) async throws -> Int {
        let (counter, start) = (try SharedValue(0), try SharedBarrier(parties: 5))
        let crew = try Crew(stage.backend, workers: 5, (counter, start)) { (counter, start) in
            _ = try start.wait()
            for _ in 0..<times { try add(counter) }
        }
        try await crew.join()
        return try await counter.load()
    }
}
