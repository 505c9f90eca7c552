import Multiprocessing

/// A pool that finishes its work, and one that drops it.
enum Endings: Program {
    static let about = "close, join and terminate"

    static func run(on stage: Stage) async throws {
        try await closeAndJoin(stage)
        try await terminate(stage)
    }

    private static func closeAndJoin(_ stage: Stage) async throws {
        let nap = stage.nap
        let pool = try Pool(stage.backend, workers: 4)
        let futures = (0..<10).map { number in
            pool.submit {
                try await Task.sleep(for: nap)
                return number
            }
        }
        await pool.shutDown()
        try insist(futures.allSatisfy(\.isFinished), "the pool ended before its work")
        let numbers = try await Future.all(of: futures)
        say("\(numbers)")
        do {
            try await pool.run { say("a pool that was shut down works") }
        } catch PoolError.shutDown {
            say("what comes later is refused")
        }
        try expect(numbers, is: Array(0..<10), "the results")
    }

    private static func terminate(_ stage: Stage) async throws {
        let pool = try Pool(stage.backend, workers: 4)
        let start = ContinuousClock.now
        let futures = (0..<10).map { _ in pool.submit { try await Task.sleep(for: .seconds(600)) } }
        await pool.terminate()
        try insist(.now - start < .seconds(300), "terminate() waited for the work")
        var stopped = 0
        for future in futures {
            do { try await future.value } catch PoolError.shutDown { stopped += 1 }
        }
        say("terminated: \(stopped) of 10 dropped")
        try expect(stopped, is: 10, "how many were dropped")
    }
}
