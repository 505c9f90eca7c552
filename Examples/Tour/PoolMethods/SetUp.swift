import Multiprocessing
import Synchronization

/// What each worker does before its first item: it notes a word that the items need.
enum SetUp: Program {
    static let about = "initializer and initargs"

    /// A worker process has its own; threads share it.
    private static let word = Mutex("")

    static func run(on stage: Stage) async throws {
        let greeting = "hello"
        var configuration = Pool.Configuration()
        configuration.setUp = { word.withLock { $0 = greeting } }
        let pool = try Pool(stage.backend, workers: 4, configuration: configuration)
        let lines = try await pool.map(0..<4) { number in "\(word.withLock { $0 }) \(number)" }
        say("\(lines)")
        await pool.shutDown()
        try expect(lines, is: (0..<4).map { "hello \($0)" }, "what the items found")
        try await countWorkers(on: stage)
    }

    /// Each worker is set up once.
    private static func countWorkers(on stage: Stage) async throws {
        let ready = try SharedValue(0)
        var configuration = Pool.Configuration()
        configuration.setUp = { try await ready.withLock { $0 += 1 } }
        try await withPool(stage.backend, workers: 4, configuration: configuration) { try await $0.start() }
        let count = try await ready.load()
        say("\(count) workers were set up")
        try expect(count, is: 4, "the workers that were set up")
    }
}
