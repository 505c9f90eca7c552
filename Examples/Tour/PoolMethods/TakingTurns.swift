import Multiprocessing

/// Four workers and three rounds of four items: in each round each of the four has one.
enum TakingTurns: Program {
    static let about = "which worker ran what: four of them, in turn"

    static func run(on stage: Stage) async throws {
        let turn = try SharedBarrier(parties: 4)
        let pool = try Pool(stage.backend, workers: 4)
        let workers = try await pool.map(0..<12, chunkSize: 1) { number in
            // Nobody gets a second item of a turn: all four are waited for.
            _ = try await turn.wait()
            say("\(number) by \(whoIsHere)")
            return Worker.current?.index
        }
        await pool.shutDown()
        for worker in 0..<4 { try expect(workers.count { $0 == worker }, is: 3, "the turns of worker \(worker)") }
        say("three turns for each of 4 workers")
    }
}
