import Multiprocessing

/// A function over ten numbers, four at a time, each with a wait: it prints the next number, and then all of them.
enum OneWord: Program {
    static let about = "a pool of processes or of threads, by one word"

    static func run(on stage: Stage) async throws {
        let nap = stage.nap
        let pool = try Pool(stage.backend, workers: 4)
        let numbers = try await pool.map(0..<10) { number in
            try await Task.sleep(for: nap)
            say("\(number + 1)")
            return number + 1
        }
        await pool.shutDown()
        say("\(numbers)")
        try expect(numbers, is: Array(1...10), "the numbers")
    }
}
