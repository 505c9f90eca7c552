import Glibc
import TestSupport
import Testing

/// What work costs, in numbers that are the same on any machine.
extension Lifetime {
    @Suite("Counts")
    struct CountTests {
        /// What the program `counts` prints.
        private func count(_ arguments: String...) async throws -> Double {
            let path = ProbeProcess.path.dropLast("probe".count) + "counts"
            let program = try ProbeProcess(arguments, path: String(path))
            let lines = try await program.remainingLines()
            return try #require(lines.first.flatMap { Double($0) }, "the program said \(lines)")
        }

        @Test("A small item on processes costs less than a twentieth of a system call")
        func systemCalls() async throws {
            let calls = try await count("small")
            // None at all would mean that nothing was counted.
            #expect(calls > 0 && calls < 0.05, "\(calls) an item")
        }

        @Test("An item that is submitted costs few allocations", arguments: [("threads", 4.0), ("processes", 6.0)])
        func allocations(_ backend: String, _ limit: Double) async throws {
            let allocations = try await count("submit", backend)
            #expect(allocations > 1 && allocations <= limit, "\(allocations) an item")
        }

        @Test("An idle pool wakes nobody up, neither in the program nor in its workers")
        func wakeUps() async throws {
            let probe = try ProbeProcess("idle")
            let workers = try await probe.lines(until: "ready").workers
            #expect(workers.count == 3)
            // Dispatch looks after its threads once a second, in a program without a pool too.
            let other = try ProbeProcess("nothing")
            _ = try await other.lines(until: "ready")
            let processes = workers + [probe.id, other.id]

            var counts: [Int] = []
            // What follows the last work, in the kernel too, may be seen in the first of these times.
            for _ in 0..<5 {
                let before = processes.map { ProcessTable.contextSwitches(of: $0) }
                // The time in which nothing may happen is what is measured.
                try await Task.sleep(for: .seconds(3))
                counts = zip(processes, before).map { ProcessTable.contextSwitches(of: $0) - $1 }
                if counts[..<3] == [0, 0, 0], counts[3] <= counts[4] + 1 { return }
            }
            Issue.record("three workers, the program and one without a pool were woken up \(counts) times in 3 s")
        }
    }
}
