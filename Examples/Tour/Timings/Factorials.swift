import Multiprocessing

/// Factorials one after the other in this process, and in a pool's processes; each says where it was computed.
enum Factorials: Program {
    static let about = "factorials, and which process computes which"

    static func run(on stage: Stage) async throws {
        say("25! = \(BigNumber.factorial(25))")
        try expect("\(BigNumber.factorial(25))", is: "15511210043330985984000000", "25!")
        // By Wilson's theorem, since 101 is a prime.
        try expect(BigNumber.factorial(100) % 101, is: 100, "100! modulo 101")

        let serial = (1...5).map { factorial($0) }
        say("\(serial)")
        let pool = try Pool(stage.backend, workers: 4)
        try await pool.start()
        let futures = (1...10).map { pool.submit($0, factorial) }
        let submitted = try await Future.all(of: futures)
        say("\(submitted)")
        let mapped = try await pool.map(1...10, factorial)
        say("\(mapped)")
        await pool.shutDown()

        let expected = (1...10).map(BigNumber.factorial)
        try expect(serial, is: Array(expected[..<5]), "the factorials")
        try expect(submitted, is: expected, "the factorials by submit")
        try expect(mapped, is: expected, "the factorials by map")
    }

    @Sendable private static func factorial(_ number: Int) -> BigNumber {
        say("\(number)! by \(whoIsHere)")
        return BigNumber.factorial(number)
    }
}
