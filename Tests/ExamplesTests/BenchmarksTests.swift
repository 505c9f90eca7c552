import Foundation
import Testing

/// The benchmark program measures what it says, and writes it down; how fast, no test asks.
@Suite("The benchmarks")
struct BenchmarksTests {
    /// What there has to be a row of, by measurement and backend.
    private static let expected: [String: Set<String>] = [
        "start": both, "round-trip": both, "submit": both, "small": both, "map": both, "echo": both,
        "stream": both, "stream-chunks": both, "stream-async": both,
        "structs": both, "captures": both, "cpu": both, "uneven": both, "recover": ["processes"],
        "crash-load": ["processes"], "deadline": both, "cancel": both, "kill": ["processes"], "armed": both,
        "recycle": both, "events": both,
        "memory": both, "idle": both, "scale": both,
        "lock": ["processes"], "hand-off": ["processes"], "queue": ["processes"], "queue-items": ["processes"],
        "ping-pong": ["processes"], "connection": ["processes"], "value": ["processes"], "array": ["processes"],
        "handle": ["processes"], "actor": ["processes"], "manager-start": ["processes"], "remote": ["processes"],
    ]
    private static let both: Set = ["processes", "threads"]

    @Test("a quick run of all measurements writes figures and a chart")
    func everything() async throws {
        let folder = NSTemporaryDirectory() + "/benchmarks-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let run = try await Shell.run("$BIN/benchmarks --quick --json \(folder)/figures.json --svg \(folder)/chart.svg")
        #expect(run.status == 0, "\(run.output)\(run.errors)")

        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/figures.json"))
        let rows = try JSONDecoder().decode([Row].self, from: data)
        for (name, backends) in Self.expected {
            let found = rows.filter { $0.name == name }
            #expect(Set(found.map(\.backend)) == backends, "\(name)")
            #expect(run.output.contains("\n\(name): "))
        }
        for row in rows {
            #expect(Self.expected.keys.contains(row.name))
            #expect(row.name == "idle" ? row.value >= 0 : row.value > 0, "\(row)")
            #expect(row.spread.count == 2 && row.spread[0] <= row.value && row.value <= row.spread[1], "\(row)")
            #expect(!row.unit.isEmpty && ["lower", "higher"].contains(row.better))
            #expect(row.peers.keys.sorted() == row.speedup_over.keys.sorted())
            let hasRatio = row.floor.map { $0 > 0 } ?? false
            #expect((row.ratio_to_floor != nil) == hasRatio, "\(row)")
        }
        for size in ["1 worker", "4 workers"] {
            #expect(rows.count { $0.name == "scale" && $0.detail == size } == 2)
        }

        let chart = try String(contentsOfFile: folder + "/chart.svg", encoding: .utf8)
        #expect(chart.hasPrefix("<svg "))
        #expect(chart.hasSuffix("</svg>\n"))
        #expect(chart.contains("<rect "))
    }

    @Test("only what was asked for is measured")
    func some() async throws {
        let run = try await Shell.run("$BIN/benchmarks --quick --rounds 1 --only submit,small map")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let titles = run.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }
        #expect(titles.map { $0.prefix { $0 != ":" } } == ["submit", "small", "map"])
    }

    @Test("without Python there are no peers, and the rest goes on")
    func withoutPython() async throws {
        let run = try await Shell.run("PYTHON=/no/python $BIN/benchmarks --quick --rounds 1 --only submit --peers")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.hasPrefix("there is no Python 3 here"))
        #expect(run.output.contains("\nsubmit: "))
    }

    @Test(
        "a command line that makes no sense is refused with its cause",
        arguments: [
            ("--fast", "--fast"), ("--only", "--only"), ("--only nothing", "nothing"), ("--rounds 0", "--rounds"),
            ("--rounds", "--rounds"), ("--json", "--json"), ("--svg --quick", "--svg"), ("quick", "quick"),
        ])
    func misuse(arguments: String, cause: String) async throws {
        let run = try await Shell.run("$BIN/benchmarks \(arguments)")
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
        #expect(run.errors.hasPrefix("benchmarks: ") && run.errors.contains(cause), "\(run.errors)")
    }

    @Test("help tells the options")
    func help() async throws {
        let run = try await Shell.run("$BIN/benchmarks --help")
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("usage: benchmarks "))
        for name in Self.expected.keys { #expect(run.output.contains(name)) }
    }

    /// A row of the figures, with the names that stand in the file.
    private struct Row: Decodable {
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let name, backend, unit, better: String
        let detail: String?
        let value: Double
        let spread: [Double]
        let floor: Double?
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let ratio_to_floor: Double?
        let peers: [String: Double]
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let speedup_over: [String: Double]
    }
}
