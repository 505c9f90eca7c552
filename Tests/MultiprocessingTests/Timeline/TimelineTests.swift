import Foundation
import Glibc
import Multiprocessing
import TestSupport
import Testing

/// `MULTIPROCESSING_PICTURES` names a folder for the pictures, to be looked at.
@Suite("A pool's timeline", .admitted)
struct TimelineTests {
    /// Records a run with crashes, failures and short and long items.
    private func record(_ backend: TestBackend, workers: Int, items: Int, name: String) async throws -> Timeline {
        struct Refused: Error, Codable {}
        return try await withLimit {
            let pool = try backend.pool(workers: workers)
            let timeline = pool.record()
            let mayCrash = backend == .processes
            let results = pool.results(0..<items, chunkSize: items > 100 ? items / 100 : 1) { number -> Int in
                if items <= 100 { usleep(UInt32(2_000 + number * 7_919 % 9_000)) }
                if number == 7 { throw Refused() }
                if number == 12 || number == 30, mayCrash { fatalError("on purpose") }
                return number
            }
            for try await _ in results {}
            timeline.stop()
            await pool.shutDown()
            if let folder = ProcessInfo.processInfo.environment["MULTIPROCESSING_PICTURES"] {
                for suffix in ["svg", "html", "json"] {
                    try timeline.write(to: "\(folder)/\(name)-\(backend)-\(workers)-\(items).\(suffix)")
                }
            }
            return timeline
        }
    }

    @Test("The picture shows every item and every failure", arguments: TestBackend.allCases)
    func pictureShowsAll(backend: TestBackend) async throws {
        let timeline = try await record(backend, workers: 2, items: 40, name: "few")
        let svg = timeline.svg()
        let shapes = try Drawing(svg)
        #expect(shapes.links.isEmpty)
        #expect(!svg.contains("<script"))
        #expect(svg.contains("prefers-color-scheme:dark"))
        let lost = backend == .processes ? 2 : 0
        // On a busy machine some are so short, beside the whole, that they are shown together.
        let single = shapes.titles.count { $0.contains(": finished, ran") }
        let together = shapes.titles.reduce(0) { sum, title in
            guard title.hasSuffix(" items, too short to be shown one by one") else { return sum }
            return sum + (title.split(separator: " ").first.flatMap { Int($0) } ?? 0)
        }
        #expect(single + together == 39 - lost)
        #expect(shapes.titles.count { $0.contains(": failed, ran") } == 1)
        #expect(shapes.titles.count { $0.contains(": lost in a crash") } == lost)
        #expect(shapes.marks.count { $0.contains(" crashed: ") } == lost)
        #expect(svg.contains("40 items"))
        // It is drawn the same again, and ends where it was stopped.
        #expect(timeline.svg() == svg)
    }

    @Test("What has a label is drawn with it, also while it runs, and those beyond the limit are said to be others")
    func labelsAreKept() async throws {
        try await withLimit {
            let pool = try Pool(.threads, workers: 2)
            let timeline = pool.record()
            let rendezvous = try Rendezvous()
            let future = pool.submit(rendezvous.ticket, options: .label("still running")) { ticket in
                ticket.arrive()
                ticket.wait()
            }
            await rendezvous.expectArrivals(1)
            for number in 0..<100 { try await pool.run(number, options: .label("label \(number)")) { _ in } }
            timeline.stop()
            let svg = timeline.svg()
            #expect(try Drawing(svg).titles.contains { $0.hasPrefix("still running: ") })
            #expect(!svg.contains("no label"))
            let trace = timeline.chromeTrace()
            #expect(trace.contains("\"other labels\""))
            #expect(trace.contains("\"label 61\"") && !trace.contains("\"label 62\""))
            rendezvous.letThrough()
            try await future.value
            await pool.terminate()
        }
    }

    @Test("Many items become few shapes", arguments: TestBackend.allCases)
    func manyItemsAreFew(backend: TestBackend) async throws {
        let timeline = try await record(backend, workers: 8, items: 1_000_000, name: "many")
        let svg = timeline.svg()
        let shapes = try Drawing(svg)
        #expect(shapes.elements["rect", default: 0] < 20_000)
        #expect(svg.utf8.count < 4_000_000)
        #expect(svg.contains("1,000,000 items"))
    }

    @Test("The trace is JSON as Perfetto reads it", arguments: TestBackend.allCases)
    func traceIsJSON(backend: TestBackend) async throws {
        let timeline = try await record(backend, workers: 2, items: 40, name: "trace")
        let json = try JSONSerialization.jsonObject(with: Data(timeline.chromeTrace().utf8)) as? [String: Any]
        let events = try #require(json?["traceEvents"] as? [[String: Any]])
        let bars = events.filter { $0["ph"] as? String == "X" }
        #expect(bars.count == 40)
        for bar in bars {
            #expect((bar["ts"] as? Double ?? -1) >= 0 && (bar["dur"] as? Double ?? -1) >= 0)
            #expect(bar["tid"] is Int && bar["pid"] is Int && bar["name"] is String)
        }
        let names = events.filter { $0["name"] as? String == "thread_name" }
        #expect(names.count == 2)
        let marks = events.filter { $0["ph"] as? String == "i" }
        #expect(marks.isEmpty == (backend == .threads))
    }

    @Test("A page needs nothing else")
    func pageIsWhole() async throws {
        let html = try await record(.threads, workers: 2, items: 40, name: "page").html()
        #expect(html.hasPrefix("<!DOCTYPE html>"))
        #expect(!html.contains("src=") && !html.contains("href=") && !html.contains("@import"))
        #expect(html.contains("addEventListener('wheel'"))
    }

    @Test("A file is written as its name says, or refused with the cure")
    func filesAreWritten() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("timeline-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let timeline = try Pool(.threads).record()
        for (name, start) in [("a.svg", "<svg"), ("a.HTML", "<!DOCTYPE"), ("a.json", "{")] {
            let path = folder.appendingPathComponent(name).path
            try timeline.write(to: path)
            #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix(start))
        }
        for path in ["run.png", "/no/such/folder/run.svg"] {
            let error = #expect(throws: PoolError.self) { try timeline.write(to: path) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test("Readers and records of many pools leave nothing behind", arguments: [2_000])
    func manyPoolsLeaveNothing(count: Int) async throws {
        try await withLimit {
            final class Witness: Sendable {}
            weak var last: Witness?
            for round in 0..<count {
                let pool = try Pool(.threads, workers: 1)
                let timeline = pool.record()
                let reader = Task { [events = pool.events] in
                    var count = 0
                    for await _ in events { count += 1 }
                    return count
                }
                let witness = Witness()
                last = witness
                let future = pool.submit { withExtendedLifetime(witness) { 1 } }
                _ = try await future.value
                await pool.shutDown()
                #expect(await reader.value > 0, "round \(round)")
                timeline.stop()
            }
            await expectSoon { last == nil }
        }
    }
}
