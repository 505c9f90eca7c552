import Multiprocessing

/// Four workers and three rounds of four items: in each round each of the four has one.
enum TakingTurns: Program {
    static let about = "which worker ran what: four of them, in turn"

    static func run(on stage: Stage) async throws {
        let round = try SharedBarrier(parties: 4)
        try await withPool(stage.backend, workers: 4) { pool in
            let workers = try await pool.map(0..<12, chunkSize: 1) { number in
                // Nobody gets a second item of a round: all four are waited for.
                _ = try await round.wait(timeout: .seconds(60))
                say("\(number) by \(whoIsHere)")
                return Worker.current?.index ?? -1
            }
            for worker in 0..<4 { try expect(workers.count { $0 == worker }, is: 3, "the turns of worker \(worker)") }
            say("three turns for each of 4 workers")
        }
    }
}
