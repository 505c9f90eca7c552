import Testing

/// Each program of the tour runs on both backends, and prints what its article's program prints.
///
/// The programs check their values themselves; here their lines are compared, where they are the same in every run. They run
/// one after the other: together they would be hundreds of processes, among which no other test could keep its time.
@Suite("The tour", .serialized)
struct TourTests {
    /// A program, and lines that it prints.
    struct Show: CustomTestStringConvertible, Sendable {
        let program: String
        /// In this order, perhaps with others between them.
        var lines: [String] = []
        /// In any order.
        var scattered: [String] = []

        var testDescription: String { program }
    }

    private static let squares = "[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]"

    static let shows = [
        Show(program: "one-word", lines: ["[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"], scattered: (1...10).map { "\($0)" }),
        Show(
            program: "methods",
            lines: ["a function in a method", "a method of a value", "the part that it needs"].map {
                "\($0): [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"
            }),
        Show(program: "initialized-pool", scattered: (1...10).map { "\($0)" }),
        Show(program: "queue-workers", scattered: (1...10).map { "\($0)" }),
        Show(program: "counter", lines: ["with a lock 50000 of 50000"]),
        Show(program: "pipe", lines: ["[\"hello\"]"]),
        Show(
            program: "producer-consumer",
            lines: [1.74609375, 1.171875, 0.15625, 0.3984375, 1.826171875].map { "result: \($0)" },
            scattered: ["stop producer"]),
        Show(program: "parallel-map", lines: ["\((1...20).map { $0 * $0 })", "[3, 5, 6]"]),
        Show(program: "shared-state", lines: ["3.1415927", "[0, -1, -2, -3, -4, -5, -6, -7, -8, -9]"]),
        Show(program: "shared-primitives"),
        Show(program: "managed-state", lines: ["a = 9", "[\"a\", \"b\", \"c\"]", "[\"b\": 0]"]),
        Show(program: "managed-primitives", lines: ["4 done, the count is 4, by workers [0, 1, 2, 3]"]),
        Show(program: "remote-list", lines: ["[]", "[1]"]),
        Show(program: "run-one"),
        Show(program: "submit-several", lines: (1...5).map { "call \($0) finished" }),
        Show(program: "map-all", lines: [1, 3, 100].map { "\(squares) in chunks of \($0)" }),
        Show(program: "map-later", lines: ["meanwhile", squares]),
        Show(program: "stream-in-order", lines: (0..<10).map { "\($0) is done" } + ["no more"]),
        Show(
            program: "stream-as-done",
            lines: [
                "as they came: 10 results, the first input's was the last: 0", "nothing within 0.005 seconds",
                "and then 0",
            ]),
        Show(
            program: "map-pairs",
            lines: [
                "[11, 24, 39, 56, 75, 96, 119, 144, 171, 200]", "[32, 9, 1000]", "[\"Hello, Ann!\", \"Hello, Bob!\"]",
            ]),
        Show(program: "callbacks", scattered: ["the result is 42", "the error is TooLarge(number: 60)"]),
        Show(
            program: "endings",
            lines: [
                "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", "what comes later is refused",
                "terminated: 10 of 10 dropped",
            ]),
        Show(
            program: "set-up",
            lines: ["[\"hello 0\", \"hello 1\", \"hello 2\", \"hello 3\"]", "4 workers were set up"]),
        Show(program: "recycling"),
        Show(program: "taking-turns", lines: ["three turns for each of 4 workers"]),
        Show(
            program: "factorials",
            lines: [
                "25! = 15511210043330985984000000", "[1, 2, 6, 24, 120]",
                "[1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800]",
            ]),
        Show(program: "factorial-table"),
        Show(program: "crawl", lines: ["2000 reposts each time"]),
        Show(program: "side-by-side", scattered: ["aaaaa, in a thread", "aaaaa, in a process", "1 2"]),
        Show(program: "result-queue", lines: ["249833583000 249833583000"]),
        Show(program: "pool-of-three", lines: [squares, "4", squares]),
        Show(
            program: "type-codes",
            lines: [
                "b  Int8, 1 bytes: 127", "H  UInt16, 2 bytes: 65535", "i  Int32, 4 bytes: 2147483647",
                "Q  UInt64, 8 bytes: 18446744073709551615", "d  Double, 8 bytes: 3.14", "3.14 [11, 12, 13, 14]",
            ]),
        Show(program: "race", lines: ["with a lock 25"]),
    ]

    @Test("prints what the article prints", arguments: shows, ["threads", "processes"])
    func show(_ show: Show, backend: String) async throws {
        let run = try await Self.runs.run(show.program, on: backend)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let lines = run.output.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
        var rest = lines[...]
        for line in show.lines {
            let place = try #require(rest.firstIndex(of: line[...]), "\(line) is not in its place: \(run.output)")
            rest = rest[(place + 1)...]
        }
        for line in show.scattered { #expect(lines.contains(line[...]), "\(line) is missing: \(run.output)") }
    }

    @Test("an object's method is refused on processes alone, with the cure", arguments: ["threads", "processes"])
    func refusal(backend: String) async throws {
        let run = try await Self.runs.run("methods", on: backend)
        let text = run.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("a method of an object: [1, 2, 3,") == (backend == "threads"))
        #expect(text.contains("a method of an object: refused") == (backend == "processes"))
        #expect(text.contains("capture only the parts that are needed") == (backend == "processes"))
    }

    @Test("without a lock counts are lost, and a lock is held for all five steps", arguments: ["threads", "processes"])
    func race(backend: String) async throws {
        let run = try await Self.runs.run("race", on: backend)
        let lines = run.output.split(separator: "\n")
        let sum = lines.compactMap { $0.firstMatch(of: /without a lock (\d+) in the end, of 25/)?.1 }.first
        #expect((5...20).contains(sum.flatMap { Int($0) } ?? 0), "\(run.output)")
        let steps = lines.compactMap { $0.firstMatch(of: /with a lock (\d+)/)?.1 }.compactMap { Int($0) }
        #expect([[1, 2, 3, 4, 5, 9, 13, 17, 21, 25], [4, 8, 12, 16, 20, 21, 22, 23, 24, 25]].contains(steps))
    }

    @Test("a worker is replaced after two items")
    func recycling() async throws {
        let run = try await Self.runs.run("recycling", on: "processes")
        #expect(run.output.hasSuffix("\n    4 processes, 4 workers\n"), "\(run.output)")
    }

    @Test("the tables have a time for each way and number of workers", arguments: ["threads", "processes"])
    func tables(backend: String) async throws {
        let factorials = try await Self.runs.run("factorial-table", on: backend).output
        let ways = ["no work", "apply", "apply_async", "map", "map_async"]
        for row in ["serial"] + ways.flatMap({ way in [1, 4].map { "\(way), \($0) workers" } }) {
            #expect(factorials.contains(try Self.row(row)), "\(row): \(factorials)")
        }
        let crawl = try await Self.runs.run("crawl", on: backend).output
        let calls = ["apply", "apply_async"].flatMap { way in [1, 4, 10].map { "\(way), \($0) workers" } }
        for row in ["one page", "serial"] + calls {
            #expect(crawl.contains(try Self.row(row)), "\(row): \(crawl)")
        }
    }

    /// A row of a table of times.
    private static func row(_ name: String) throws -> Regex<AnyRegexOutput> {
        try Regex("\n +\(name) +[0-9]+\\.[0-9]{2}")
    }

    @Test(
        "two at a time have the semaphore's permits, and the lock keeps the count", arguments: ["threads", "processes"])
    func primitives(backend: String) async throws {
        let output = try await Self.runs.run("shared-primitives", on: backend).output
        #expect(output.contains(/4 done, at most [12] at a time, the count is 8\n/), "\(output)")
    }

    private static let runs = Runs()

    /// What the programs printed; each runs once on each backend.
    private actor Runs {
        private var runs: [String: Task<Shell.Outcome, any Error>] = [:]

        func run(_ program: String, on backend: String) async throws -> Shell.Outcome {
            let arguments = "--short --backend \(backend) \(program)"
            let run = runs[arguments] ?? Task { try await Shell.run("$BIN/tour \(arguments)") }
            runs[arguments] = run
            return try await run.value
        }
    }

    @Test("each program is looked at here")
    func allAreLookedAt() async throws {
        let run = try await Shell.run("$BIN/tour --list")
        let names = run.output.split(separator: "\n").map { $0.prefix { $0 != ":" }.drop { $0 != "/" }.dropFirst() }
        #expect(Set(names.map { "\($0)" }) == Set(Self.shows.map(\.program)))
        #expect(names.count == Self.shows.count)
    }

    @Test("says what it does not have")
    func misuse() async throws {
        let run = try await Shell.run("$BIN/tour no-such-program")
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
        #expect(
            run.errors.hasPrefix("tour: there is no article or program no-such-program; --list says which there are\n"))
    }
}
