import Multiprocessing

/// Each worker of a pool, as it starts, empties a queue into another; the pool is given no other work.
enum InitializedPool: Program {
    static let about = "a pool whose workers take their work from a queue as they start"

    static func run(on stage: Stage) async throws {
        let (inputs, outputs) = (try SharedQueue<Int>(), try SharedQueue<Int>())
        try await inputs.send(contentsOf: 0..<10)

        let nap = stage.nap
        var configuration = Pool.Configuration()
        configuration.setUp = {
            while let number = try inputs.tryReceive() {
                try await Task.sleep(for: nap)
                try await outputs.send(number + 1)
            }
        }
        let pool = try Pool(stage.backend, workers: 4, configuration: configuration)
        async let start: Void = pool.start()

        var results: [Int] = []
        while results.count < 10 {
            let result = try await outputs.receive(timeout: .seconds(60))
            say("\(result)")
            results.append(result)
        }
        try await start
        await pool.terminate()
        try expect(results.sorted(), is: Array(1...10), "the results")
    }
}
