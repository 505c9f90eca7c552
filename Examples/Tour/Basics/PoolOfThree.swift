import Multiprocessing

/// Squares by a pool of as many workers as there are cores, and of three; then one result, and several, that come later.
enum PoolOfThree: Program {
    static let about = "a pool: map, the number of workers, and results that come later"

    static func run(on stage: Stage) async throws {
        let pool = try Pool(stage.backend)
        try show(try await pool.map(0..<10, square))
        await pool.shutDown()

        let three = try Pool(stage.backend, workers: 3)
        try expect(three.workerCount, is: 3, "the number of workers")
        try show(try await three.map(0..<10, square))
        let four = try await three.submit(2, square).value
        say("\(four)")
        try expect(four, is: 4, "two squared")
        // Many inputs need a call each.
        let futures = (0..<10).map { three.submit($0, square) }
        try show(try await Future.all(of: futures))
        await three.shutDown()
    }

    @Sendable private static func square(_ number: Int) -> Int { number * number }

    private static func show(_ squares: [Int]) throws {
        say("\(squares)")
        try expect(squares, is: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81], "the squares")
    }
}
