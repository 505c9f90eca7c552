import Multiprocessing
import Synchronization

/// What each worker does before its first item: it counts itself, and notes a word that the items need.
enum SetUp: Program {
    static let about = "initializer and initargs"

    /// A worker process has its own; threads share it.
    private static let word = Mutex("")

    static func run(on stage: Stage) async throws {
        let (ready, greeting) = (try SharedValue(0), "hello")
        var configuration = Pool.Configuration()
        configuration.setUp = {
            word.withLock { $0 = greeting }
            try await ready.withLock { $0 += 1 }
        }
        try await withPool(stage.backend, workers: 4, configuration: configuration) { pool in
            try await pool.start()
            say("\(try await ready.load()) workers are set up")
            try expect(try await ready.load(), is: 4, "the workers that are set up")
            let lines = try await pool.map(0..<4) { number in "\(word.withLock { $0 }) \(number)" }
            say("\(lines)")
            try expect(lines, is: (0..<4).map { "hello \($0)" }, "what the items found")
        }
    }
}
