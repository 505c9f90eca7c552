import Foundation
import Glibc
import Multiprocessing
import TestSupport
import Testing

/// Pictures of runs in which things go wrong: each of those things is in the picture, the page and the trace.
///
/// `MULTIPROCESSING_PICTURES` names a folder for the pictures, to be looked at.
@Suite("A timeline of faults", .admitted)
struct FaultyTimelineTests {
    private struct Refused: Error, Codable {}

    private func record(
        _ backend: TestBackend, name: String, _ configuration: Pool.Configuration = Pool.Configuration(),
        isStarted: Bool = true,
        _ body: @escaping @Sendable (Pool) async throws -> Void
    ) async throws -> Timeline {
        try await withLimit {
            let pool = try Pool(backend.backend, workers: 2, configuration: configuration)
            let timeline = pool.record()
            // One that still starts when the pool is shut down is killed, which would be in the picture.
            if isStarted { try await pool.start() }
            try await body(pool)
            await pool.shutDown()
            timeline.stop()
            if let folder = ProcessInfo.processInfo.environment["MULTIPROCESSING_PICTURES"] {
                for suffix in ["svg", "html", "json"] {
                    try timeline.write(to: "\(folder)/faults-\(name)-\(backend).\(suffix)")
                }
            }
            return timeline
        }
    }

    /// The marks of a trace: their names and texts.
    private func marks(of timeline: Timeline) throws -> [String: [String]] {
        let json = try JSONSerialization.jsonObject(with: Data(timeline.chromeTrace().utf8)) as? [String: Any]
        let events = try #require(json?["traceEvents"] as? [[String: Any]])
        var marks: [String: [String]] = [:]
        for event in events where event["ph"] as? String == "i" {
            let name = try #require(event["name"] as? String)
            marks[name, default: []].append((event["args"] as? [String: Any])?["text"] as? String ?? "")
        }
        return marks
    }

    /// How many bars of a trace ended so.
    private func bars(_ outcome: String, of timeline: Timeline) throws -> Int {
        let json = try JSONSerialization.jsonObject(with: Data(timeline.chromeTrace().utf8)) as? [String: Any]
        let events = try #require(json?["traceEvents"] as? [[String: Any]])
        return events.count { ($0["args"] as? [String: Any])?["outcome"] as? String == outcome }
    }

    /// Checks that each kind of mark is there so often, in picture, page and trace, and no other kind.
    private func expect(
        _ expected: [(name: String, text: String, count: Int)], in timeline: Timeline,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let svg = timeline.svg()
        let drawing = try Drawing(svg)
        let found = try marks(of: timeline)
        let html = timeline.html()
        for (name, text, count) in expected {
            #expect(
                drawing.marks.count { $0.contains(text) } == count, "\(text): \(drawing.marks)",
                sourceLocation: sourceLocation)
            #expect(found[name]?.count { $0.contains(text) } == count, "\(found)", sourceLocation: sourceLocation)
            #expect(drawing.texts.contains(name), "\(name) is not in the legend", sourceLocation: sourceLocation)
            #expect(html.contains(text), "\(text) is not in the page", sourceLocation: sourceLocation)
        }
        #expect(Set(found.keys) == Set(expected.map(\.name)), sourceLocation: sourceLocation)
    }

    @Test("A time-out is drawn where the item ran, and what became of its worker", arguments: TestBackend.allCases)
    func timeOut(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        var configuration = Pool.Configuration()
        configuration.gracePeriod = .milliseconds(20)
        let timeline = try await record(backend, name: "timeout", configuration) { pool in
            // Does not stop when it is told to.
            let deaf = pool.submit(options: .timeout(.milliseconds(80)).label("deaf")) { ticket.wait() }
            let error = await deaf.result.failure as? PoolError
            #expect(error?.code == .timedOut)
            // Both at a time, so that the one that was lost is replaced.
            let both = (0..<2).map { _ in
                pool.submit(options: .label("both")) {
                    ticket.arrive()
                    ticket.wait()
                }
            }
            await rendezvous.expectArrivals(2)
            // A thread of the three waits on, of which nobody knows which takes what.
            rendezvous.letThrough(3)
            for future in both { try await future.value }
        }
        try expect(
            [
                ("time-out", "“deaf” timed out", 1),
                backend == .threads ? ("given up", "is given up", 1) : ("kill", "is killed", 1),
                ("replacement", "is replaced", 1),
            ], in: timeline)
        let drawing = try Drawing(timeline.svg())
        let late = drawing.bars.filter { $0.classes.contains("timedOut") && $0.title.hasPrefix("deaf: timed out") }
        #expect(late.count == 1, "\(drawing.bars)")
        #expect(try bars("timedOut", of: timeline) == 1)
        #expect(timeline.chromeTrace().contains("\"deaf (timed out)\""))
        #expect(try bars("finished", of: timeline) == 2)
        #expect(drawing.texts.contains { $0.contains("1 not finished") })
    }

    @Test("Further attempts are marked and told", arguments: TestBackend.allCases)
    func retries(_ backend: TestBackend) async throws {
        let timeline = try await record(backend, name: "retries") { pool in
            let policy = RetryPolicy.attempts(3, delay: .none, where: { $0 is Refused })
            let values = try await pool.map(0..<2, chunkSize: 1, options: .retry(policy).label("shy")) { number in
                usleep(20_000)
                guard Worker.current?.attempt == 3 || number == 0 else { throw Refused() }
                return number
            }
            #expect(values == [0, 1])
        }
        try expect([("retry", ", attempt 2", 1), ("retry", ", attempt 3", 1)], in: timeline)
        let drawing = try Drawing(timeline.svg())
        #expect(drawing.bars("failed") == 2)
        #expect(drawing.titles.count { $0.hasPrefix("shy: finished, attempt 3, ran") } == 1)
        #expect(try bars("failed", of: timeline) == 2)
    }

    @Test("A crash is marked with what is known of it, and the replacement after it")
    func crash() async throws {
        let timeline = try await record(.processes, name: "crash", isStarted: false) { pool in
            let crash = await pool.submit(options: .label("bad")) { () -> Int in
                usleep(20_000)
                Crash.killed.happen()
            }.result.failure
            Crash.killed.expect(crash)
            // Both at a time, so that the one that was lost is replaced.
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            let both = (0..<2).map { _ in
                pool.submit {
                    ticket.arrive()
                    ticket.wait()
                }
            }
            await rendezvous.expectArrivals(2)
            rendezvous.letThrough(2)
            for future in both { try await future.value }
        }
        try expect([("crash", " crashed: ", 1), ("replacement", "worker 0 is replaced", 1)], in: timeline)
        #expect(try marks(of: timeline)["crash"]?.first?.contains("SIGKILL") == true)
        let drawing = try Drawing(timeline.svg())
        #expect(drawing.bars("crashed") == 1)
        #expect(try bars("crashed", of: timeline) == 1)
    }

    @Test("Recycling, cancellation and a set-up that fails are in it too", arguments: TestBackend.allCases)
    func others(_ backend: TestBackend) async throws {
        var configuration = Pool.Configuration()
        configuration.recycling.items = 1
        let recycled = try await record(backend, name: "recycling", configuration) { pool in
            for number in 0..<3 { try await pool.run(number) { _ in _ = usleep(5_000) } }
        }
        #expect(try marks(of: recycled)["recycling"]?.isEmpty == false)
        #expect(try Drawing(recycled.svg()).marks.contains { $0.hasSuffix("is recycled") })

        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        configuration = Pool.Configuration()
        configuration.gracePeriod = .milliseconds(20)
        let cancelled = try await record(backend, name: "cancelled", configuration) { pool in
            let listening = pool.submit(options: .label("listening")) {
                ticket.arrive()
                while !Task.isCancelled { usleep(1_000) }
            }
            let deaf = pool.submit(options: .label("deaf")) {
                ticket.arrive()
                ticket.wait()
            }
            await rendezvous.expectArrivals(2)
            for future in [listening, deaf] {
                future.cancel()
                await #expect(throws: CancellationError.self) { try await future.value }
            }
            // Both at a time, so that the deaf one's worker has been left behind.
            let both = (0..<2).map { _ in
                pool.submit {
                    ticket.arrive()
                    ticket.wait()
                }
            }
            await rendezvous.expectArrivals(4)
            rendezvous.letThrough(3)
            for future in both { try await future.value }
        }
        #expect(try bars("cancelled", of: cancelled) == 2)
        let drawing = try Drawing(cancelled.svg())
        for name in ["listening", "deaf"] {
            let bars = drawing.bars.filter { $0.classes.contains("cancelled") && $0.title.hasPrefix("\(name): ") }
            #expect(bars.count == 1, "\(drawing.bars)")
        }

        configuration = Pool.Configuration()
        configuration.setUp = { throw Refused() }
        let failed = try await record(backend, name: "setup", configuration, isStarted: false) { pool in
            await #expect(throws: PoolError.self) { try await pool.run { 1 } }
        }
        #expect(try marks(of: failed)["failed start"]?.first?.contains("set-up failed in") == true)
        #expect(try Drawing(failed.svg()).texts.contains("failed start"))
    }
}
