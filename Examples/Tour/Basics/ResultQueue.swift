import Multiprocessing

/// Two children compute a sum each and put it into a queue, from which it is taken when both have ended.
enum ResultQueue: Program {
    static let about = "a queue that keeps what children have computed"

    static func run(on stage: Stage) async throws {
        let results = try SharedQueue<Int>()
        let first = try ChildProcess(stage.backend, results) { try job($0) }
        let second = try ChildProcess(stage.backend, results) { try job($0) }
        try await first.value
        try await second.value
        let (one, other) = (try await results.receive(), try await results.receive())
        say("\(one) \(other)")
        try expect([one, other], is: [249_833_583_000, 249_833_583_000], "the sums")
    }

    private static func job(_ results: SharedQueue<Int>) throws {
        try results.send((0..<1000).reduce(0) { sum, i in sum + i + i * i + i * i * i })
    }
}
