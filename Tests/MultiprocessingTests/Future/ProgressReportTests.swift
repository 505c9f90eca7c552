import Multiprocessing
import TestSupport
import Testing

@Suite(.admitted)
struct ProgressReportTests {
    @Test("A future gives what its item reports, in order, and ends with it", arguments: TestBackend.allCases)
    func inOrder(_ backend: TestBackend) async throws {
        let meeting = try Rendezvous()
        let ticket = meeting.ticket
        try await backend.withPool(workers: 1) { pool in
            let future = pool.submit {
                ticket.wait()
                for step in 1...4 { Worker.current?.report(Double(step) / 4, "step \(step)") }
                return 7
            }
            let progress = future.progress
            meeting.letThrough()
            var reports: [ProgressReport] = []
            for await report in progress { reports.append(report) }
            #expect(reports.map(\.fraction) == [0.25, 0.5, 0.75, 1])
            #expect(reports.map(\.text) == ["step 1", "step 2", "step 3", "step 4"])
            let value = try await future.value
            #expect(value == 7)
            // Nothing comes of one that has ended.
            for await report in future.progress { Issue.record("\(report)") }
        }
    }

    @Test("It comes while the item runs, and who is late has the latest", arguments: TestBackend.allCases)
    func whileRunning(_ backend: TestBackend) async throws {
        let meeting = try Rendezvous()
        let ticket = meeting.ticket
        try await backend.withPool(workers: 1) { pool in
            let future = pool.submit {
                Worker.current?.report(0.5, "half way")
                ticket.wait()
            }
            for await report in future.progress {
                #expect(report.fraction == 0.5 && report.text == "half way")
                break
            }
            #expect(!future.isFinished)
            for await report in future.progress {
                #expect(report.text == "half way")
                break
            }
            meeting.letThrough()
            try await future.value
        }
    }

    @Test(
        "Fractions out of range count as the nearer end, and what is no number changes nothing",
        arguments: TestBackend.allCases)
    func range(_ backend: TestBackend) async throws {
        let meeting = try Rendezvous()
        let ticket = meeting.ticket
        try await backend.withPool(workers: 1) { pool in
            let future = pool.submit {
                ticket.wait()
                for fraction in [-3, 0.25, .nan, .infinity, 2, -.infinity] { Worker.current?.report(fraction) }
            }
            let progress = future.progress
            meeting.letThrough()
            var fractions: [Double] = []
            for await report in progress { fractions.append(report.fraction) }
            #expect(fractions == [0, 0.25, 0.25, 1, 1, 0])
        }
    }

    @Test("A slow reader loses the oldest and keeps the latest", arguments: TestBackend.allCases)
    func slowReader(_ backend: TestBackend) async throws {
        let meeting = try Rendezvous()
        let ticket = meeting.ticket
        try await backend.withPool(workers: 1) { pool in
            let future = pool.submit {
                ticket.wait()
                for step in 1...5_000 { Worker.current?.report(Double(step) / 5_000, "\(step)") }
            }
            let progress = future.progress
            meeting.letThrough()
            try await future.value
            var texts: [String] = []
            for await report in progress { texts.append(report.text) }
            #expect(texts.last == "5000")
            #expect(texts.count <= 64)
            #expect(texts.compactMap { Int($0) } == texts.compactMap { Int($0) }.sorted())
        }
    }

    @Test("It ends with an item that fails, crashes or is cancelled, and goes on through retries")
    func ends() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let crashing = pool.submit { () -> Int in
                Worker.current?.report(0.1, "about to crash")
                fatalError("on purpose")
            }
            var last = ""
            for await report in crashing.progress { last = report.text }
            await #expect(throws: PoolError.self) { try await crashing.value }
            #expect(last == "about to crash" || last.isEmpty)

            let meeting = try Rendezvous()
            let ticket = meeting.ticket
            let retried = pool.submit(options: .retry(.attempts(3, delay: .none))) { () -> Int in
                ticket.wait()
                let attempt = Worker.current?.attempt ?? 0
                Worker.current?.report(Double(attempt) / 10, "attempt \(attempt)")
                if attempt < 3 { fatalError("on purpose") }
                return attempt
            }
            let progress = retried.progress
            meeting.letThrough(3)
            var texts: [String] = []
            for await report in progress { texts.append(report.text) }
            #expect(texts.last == "attempt 3")
            let attempts = try await retried.value
            #expect(attempts == 3)
        }
    }

    @Test(
        "Without an item there is nothing to say, and in calls with many nobody hears it",
        arguments: TestBackend.allCases)
    func withoutFuture(_ backend: TestBackend) async throws {
        #expect(Worker.current?.report(0.5) == nil)
        try await backend.withPool { pool in
            let said = try await pool.map(0..<20) { Worker.current?.report(0.5, "item \($0)") == true }
            #expect(said == Array(repeating: true, count: 20))
            let fail = pool.submit { () throws -> Int in throw CancellationError() }
            for await report in fail.progress { Issue.record("\(report)") }
        }
    }
}
