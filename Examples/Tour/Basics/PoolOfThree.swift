import Multiprocessing

/// Squares by a pool of as many workers as there are cores, and of three; then one result, and several, that come later.
enum PoolOfThree: Program {
    static let about = "a pool: map, the number of workers, and results that come later"

    static func run(on stage: Stage) async throws {
        let pool = try Pool(stage.backend)
        try expect(try await pool.map(0..<10, square), is: squares, "the squares")
        await pool.shutDown()

        let three = try Pool(stage.backend, workers: 3)
        let mapped = try await three.map(0..<10, square)
        say("\(mapped)")
        let four = try await three.submit(2, square).value
        say("\(four)")
        let futures = (0..<10).map { three.submit($0, square) }
        let submitted = try await Future.all(of: futures)
        say("\(submitted)")
        await three.shutDown()

        try expect(three.workerCount, is: 3, "the number of workers")
        try expect(mapped, is: squares, "the squares")
        try expect(four, is: 4, "two squared")
        try expect(submitted, is: squares, "the squares, each by a call")
    }

    @Sendable private static func square(_ number: Int) -> Int { number * number }

    private static let squares = [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]
}
