import Multiprocessing

/// A worker that is replaced after every two items.
enum Recycling: Program {
    static let about = "maxtasksperchild: a worker is replaced after so many items"

    static func run(on stage: Stage) async throws {
        var configuration = Pool.Configuration()
        configuration.recycling.items = 2
        let pool = try Pool(stage.backend, workers: 1, configuration: configuration)
        var processes: [Int32] = []
        for number in 0..<8 {
            processes += [
                try await pool.run {
                    say("\(number) in \(whoIsHere)")
                    return Worker.current?.processID ?? 0
                }
            ]
        }
        say("\(Set(processes).count) processes, \(pool.statistics.workersStarted) workers")

        try insist(pool.statistics.workersStarted >= 4, "too few workers ran eight items, two each")
        if stage.isOnProcesses {
            for turn in 0..<4 {
                try expect(processes[2 * turn], is: processes[2 * turn + 1], "who ran item \(2 * turn)")
            }
            try expect(Set(processes).count, is: 4, "the number of processes")
        }
        await pool.shutDown()
    }
}
