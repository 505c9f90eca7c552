import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

/// What items in worker processes say of themselves while they run.
@Suite("The progress of an item", .admitted)
struct ItemProgressTests {
    private let tap = TappedWorkers()

    private var reports: [TappedWorkers.Fact] {
        tap.facts.filter { if case .progressed = $0 { true } else { false } }
    }

    @Test("It comes before the result, also from other threads while the main one is busy")
    func order() async throws {
        let pool = try Pool(tap.backend, workers: 1)
        try await withLimit {
            let said = try await pool.run { () throws -> [Bool] in
                var said = [WorkerProcess.report(fraction: 0.25, text: "begun")]
                let thread = try NativeThread(name: "test") { WorkerProcess.report(fraction: 0.5, text: "half way") }
                thread.join()
                said.append(WorkerProcess.report(fraction: 1, text: ""))
                return said
            }
            #expect(said == [true, true])
        }
        #expect(
            reports == [
                .progressed(item: 0, fraction: 0.25, text: "begun"),
                .progressed(item: 0, fraction: 0.5, text: "half way"),
                .progressed(item: 0, fraction: 1, text: ""),
            ])
        await pool.shutDown()
    }

    @Test("It comes while the item runs")
    func meanwhile() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        let pool = try Pool(tap.backend, workers: 1)
        let future = pool.submit {
            WorkerProcess.report(fraction: 0.5, text: "waits")
            ticket.wait()
            return 5
        }
        await expectSoon("nothing was reported", within: .seconds(240)) { !reports.isEmpty }
        #expect(reports == [.progressed(item: 0, fraction: 0.5, text: "waits")])
        rendezvous.letThrough()
        try await withLimit {
            let value = try await future.value
            #expect(value == 5)
        }
        await pool.shutDown()
    }

    @Test("It names the item, in each way in which items run")
    func items() async throws {
        let pool = try Pool(tap.backend, workers: 1)
        let expected = (0..<5).map { TappedWorkers.Fact.progressed(item: $0, fraction: Double($0), text: "") }
        try await withLimit {
            let numbers = try await pool.map(0..<5, chunkSize: 5) { number in
                WorkerProcess.report(fraction: Double(number), text: "")
                return number
            }
            #expect(numbers == Array(0..<5))
            #expect(reports == expected)
            let texts = try await pool.map(0..<5, chunkSize: 5) { number in
                WorkerProcess.report(fraction: Double(number), text: "")
                return "\(number)"
            }
            #expect(texts == ["0", "1", "2", "3", "4"])
            #expect(reports == expected + expected)
            try await pool.forEach(0..<5, chunkSize: 5) { number async in
                await Task.yield()
                WorkerProcess.report(fraction: Double(number), text: "")
            }
            #expect(reports == expected + expected + expected)
        }
        await pool.shutDown()
    }

    @Test("Of more than the parent can read the last comes, and others are served meanwhile")
    func flood() async throws {
        let pool = try Pool(tap.backend, workers: 1)
        let count = 300_000
        try await withLimit(.seconds(240)) {
            try await pool.run { () -> Void in
                for number in 1...300_000 { WorkerProcess.report(fraction: Double(number), text: "number \(number)") }
            }
        }
        let fractions = reports.compactMap { fact in
            if case .progressed(_, let fraction, _) = fact { fraction } else { nil }
        }
        #expect(fractions == fractions.sorted() && Set(fractions).count == fractions.count)
        #expect(fractions.last == Double(count))
        await pool.shutDown()
    }

    @Test("What an item says right before it crashes comes before its end")
    func crash() async throws {
        let pool = try Pool(tap.backend, workers: 1)
        let error = await pool.submit { () -> Int in
            WorkerProcess.report(fraction: 0.9, text: "about to")
            kill(getpid(), SIGKILL)
            return 0
        }.result.failure
        #expect((error as? PoolError)?.code == .workerCrashed)
        #expect(
            tap.facts == [
                .progressed(item: 0, fraction: 0.9, text: "about to"), .workerEnded(isUnbegun: false),
            ])
        await pool.shutDown()
    }

    @Test("Outside of work nobody is told")
    func nowhere() {
        #expect(!WorkerProcess.report(fraction: 1, text: "nobody hears it"))
    }
}
