import Multiprocessing

/// One program of an article.
protocol Program {
    /// What it shows, in a few words.
    static var about: String { get }

    /// Prints what the article's program prints, by ``say(_:)``.
    ///
    /// - Throws: ``Wrong`` when a value is not what it should be.
    static func run(on stage: Stage) async throws
}

extension Program {
    /// The type's name as it is typed in a shell: `OneWord` is one-word.
    static var name: String {
        let letters = "\(Self.self)".map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }
        return String(letters.joined().drop { $0 == "-" })
    }
}

/// An article, and its programs in its order.
struct Article {
    let name: String
    let programs: [any Program.Type]

    static var all: [Article] {
        [
            Article(
                name: "techniques",
                programs: [OneWord.self, Methods.self, InitializedPool.self, QueueWorkers.self, Counter.self]),
            Article(
                name: "communication",
                programs: [
                    Pipe.self, ProducerConsumer.self, ParallelMap.self, SharedState.self, SharedPrimitives.self,
                    ManagedState.self, ManagedPrimitives.self, RemoteList.self,
                ]),
            Article(
                name: "pool-methods",
                programs: [
                    RunOne.self, SubmitSeveral.self, MapAll.self, MapLater.self, StreamInOrder.self, StreamAsDone.self,
                    MapPairs.self, Callbacks.self, Endings.self, SetUp.self, Recycling.self, TakingTurns.self,
                ]),
            Article(name: "timings", programs: [Factorials.self, FactorialTable.self, Crawl.self]),
            Article(
                name: "basics",
                programs: [SideBySide.self, ResultQueue.self, PoolOfThree.self, TypeCodes.self, Race.self]),
        ]
    }
}
