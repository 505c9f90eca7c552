import Multiprocessing

/// Factorials one after the other in this process, and in a pool's processes; each says where it was computed.
enum Factorials: Program {
    static let about = "factorials, and which process computes which"

    static func run(on stage: Stage) async throws {
        say("25! = \(BigNumber.factorial(25))")
        try expect("\(BigNumber.factorial(25))", is: "15511210043330985984000000", "25!")
        // By Wilson's theorem, since 101 is a prime.
        try expect(BigNumber.factorial(100) % 101, is: 100, "100! modulo 101")

        _ = factorialAloud(10)
        let serial = (1...5).map { factorialAloud($0) }
        say("\(serial)")
        try await withPool(stage.backend) { pool in
            let futures = (1...10).map { number in pool.submit { factorialAloud(number) } }
            let submitted = try await Future.all(of: futures)
            say("\(submitted)")
            try expect(submitted, is: (1...10).map(BigNumber.factorial), "the factorials")
            let mapped = try await pool.map(1...10) { factorialAloud($0) }
            try expect(mapped, is: submitted, "the factorials by map")
        }
    }

    private static func factorialAloud(_ number: Int) -> BigNumber {
        say("\(number)! by \(whoIsHere)")
        return BigNumber.factorial(number)
    }
}
