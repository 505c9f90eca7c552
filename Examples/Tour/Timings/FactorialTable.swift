import Multiprocessing

/// How long the factorials of 1 to 100 take, serially and in pools that are made for it.
///
/// The work is so little that all of a pool's time goes into making it and sending: the article's point.
enum FactorialTable: Program {
    static let about = "times of the factorials of 1 to 100, in each way, with 1, 4 and 50 workers"

    static func run(on stage: Stage) async throws {
        let numbers = 1...100
        let expected = numbers.map(BigNumber.factorial)
        let (counts, runs) = stage.isShort ? ([1, 4], 1) : ([1, 4, 50], 2)
        let table = TimeTable(
            python: try PythonTimes.factorials(on: stage, workers: counts, runs: runs))

        say("the pool is made each time; \"no work\" is how long it takes to start all its workers and to end them")
        table.sayHead("")
        try await table.measure("serial", runs: runs) {
            try expect(numbers.map(BigNumber.factorial), is: expected, "the factorials")
        }
        for count in counts {
            // In processes most of it is what each of them takes to load Foundation, for the crawl.
            try await table.measure("no work, \(count) workers", runs: runs) {
                try await withPool(stage.backend, workers: count) { pool in try await pool.start() }
            }
            for way in Way.allCases {
                try await table.measure("\(way.rawValue), \(count) workers", runs: runs) {
                    let factorials = try await withPool(stage.backend, workers: count) { pool in
                        try await way.compute(numbers, in: pool)
                    }
                    try expect(factorials, is: expected, "the factorials by \(way.rawValue)")
                }
            }
        }
    }

    /// The methods of Python's pool, by their names there.
    enum Way: String, CaseIterable {
        case apply
        case applyAsync = "apply_async"
        case map
        case mapAsync = "map_async"

        func compute(_ numbers: ClosedRange<Int>, in pool: Pool) async throws -> [BigNumber] {
            switch self {
            case .apply:
                var factorials: [BigNumber] = []
                for number in numbers { factorials.append(try await pool.run(number, BigNumber.factorial)) }
                return factorials
            case .applyAsync:
                return try await Future.all(of: numbers.map { pool.submit($0, BigNumber.factorial) })
            case .map:
                return try await pool.map(numbers, BigNumber.factorial)
            case .mapAsync:
                async let factorials = pool.map(numbers, BigNumber.factorial)
                return try await factorials
            }
        }
    }
}
