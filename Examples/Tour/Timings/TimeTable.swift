import Multiprocessing

/// Times in milliseconds, beside Python's where there are such.
struct TimeTable {
    /// Python's times, by the names of the rows.
    let python: [String: Double]

    private func cell(_ milliseconds: Double?) -> String {
        guard let milliseconds else { return String(repeating: " ", count: 10) }
        let hundredths = Int((milliseconds * 100).rounded())
        let fraction = hundredths % 100
        let text = "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
        return String(repeating: " ", count: max(0, 10 - text.count)) + text
    }

    func sayHead(_ title: String) {
        say(title.padded(to: 28) + "  Swift ms" + (python.isEmpty ? "" : " Python ms"))
    }

    /// Measures the fastest of some runs, and prints the row.
    func measure(_ name: String, runs: Int, _ body: () async throws -> Void) async throws {
        var fastest = Duration.seconds(1_000_000)
        for _ in 0..<runs { fastest = min(fastest, try await ContinuousClock().measure { try await body() }) }
        say(name.padded(to: 28) + cell(fastest / .milliseconds(1)) + (python.isEmpty ? "" : cell(python[name])))
    }
}

extension String {
    fileprivate func padded(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}
