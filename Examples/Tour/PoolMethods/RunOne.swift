import Multiprocessing

/// Five calls, each of which waits for its result: nothing runs at the same time as another.
enum RunOne: Program {
    static let about = "apply: a call that waits for its result"

    static func run(on stage: Stage) async throws {
        let nap = stage.nap
        let start = ContinuousClock.now
        try await withPool(stage.backend, workers: 4) { pool in
            for _ in 0..<5 {
                try await pool.run {
                    say("run by \(whoIsHere)")
                    try await Task.sleep(for: nap)
                }
            }
        }
        try insist(.now - start >= nap * 5, "two calls ran at once")
    }
}
