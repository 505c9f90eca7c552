import Testing

/// Each program of the tour runs on both backends, and prints what its article's program prints.
///
/// The programs check their values themselves; here their lines are compared, where they are the same in every run.
@Suite("The tour")
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
        Show(program: "managed-state", lines: ["a = 9", "[\"a\", \"b\", \"c\"]", "[\"b\": 0]"]),
    ]

    @Test("prints what the article prints", arguments: shows, ["threads", "processes"])
    func show(_ show: Show, backend: String) async throws {
        let run = try await Shell.run("$BIN/tour --short --backend \(backend) \(show.program)")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let lines = run.output.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
        var rest = lines[...]
        for line in show.lines {
            let place = try #require(rest.firstIndex(of: line[...]), "\(line) is not in its place: \(run.output)")
            rest = rest[(place + 1)...]
        }
        for line in show.scattered { #expect(lines.contains(line[...]), "\(line) is missing: \(run.output)") }
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
