import Multiprocessing

/// A function that several workers run, which empties a queue into another.
enum QueueWorkers: Program {
    static let about = "workers that take their work from one queue and put their results into another"

    static func run(on stage: Stage) async throws {
        let (inputs, outputs) = (try SharedQueue<Int>(), try SharedQueue<Int>())
        try await inputs.send(contentsOf: 0..<10)

        let nap = stage.nap
        let crew = try Crew(stage.backend, workers: 4, (inputs, outputs)) { (inputs, outputs) in
            while let number = try inputs.tryReceive() {
                try await Task.sleep(for: nap)
                try await outputs.send(number + 1)
            }
        }
        var results: [Int] = []
        while results.count < 10 {
            let result = try await outputs.receive(timeout: .seconds(60))
            say("\(result)")
            results.append(result)
        }
        await crew.terminate()
        try expect(results.sorted(), is: Array(1...10), "the results")
    }
}
