import Glibc
import Multiprocessing
import MultiprocessingSystem
import Synchronization
import TestSupport
import Testing

/// What a call said of its progress.
private final class Reports: Sendable {
    private struct State {
        var reports: [WorkProgress] = []
        var isInside = false
        var hasReturned = false
        var faults: [String] = []
    }

    private let state = Mutex(State())

    var all: [WorkProgress] { state.withLock { $0.reports } }
    var faults: [String] { state.withLock { $0.faults } }

    @Sendable func take(_ progress: WorkProgress) {
        state.withLock { state in
            if state.isInside { state.faults.append("two threads at once") }
            if state.hasReturned { state.faults.append("after the end") }
            state.isInside = true
            state.reports.append(progress)
        }
        sched_yield()
        state.withLock { $0.isInside = false }
    }

    /// The call has returned.
    func close() -> [WorkProgress] {
        state.withLock { state in
            state.hasReturned = true
            return state.reports
        }
    }
}

@Suite("Progress of calls", .admitted)
struct ProgressTests {
    @Test("A map tells how far it is, not too often, and last of its end", arguments: TestBackend.allCases)
    func map(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let reports = Reports()
            let start = ContinuousClock.now
            let values = try await pool.map(0..<300, chunkSize: 1, options: .progress(reports.take)) { number in
                usleep(2_000)
                return number
            }
            let seconds = start.duration(to: .now) / .seconds(1)
            let all = reports.close()
            #expect(values.count == 300)
            #expect(all.last?.isFinished == true)
            #expect(all.last?.completed == 300)
            #expect(all.dropLast().allSatisfy { !$0.isFinished })
            #expect(all.allSatisfy { $0.total == 300 && $0.failed == 0 })
            #expect(zip(all, all.dropFirst()).allSatisfy { $0.completed <= $1.completed && $0.elapsed <= $1.elapsed })
            #expect(all.count >= 2)
            #expect(Double(all.count) <= seconds * 10 + 3, "\(all.count) in \(seconds) s")
            #expect(all.last?.remaining == .zero)
            #expect(try await pool.map(0..<10) { $0 } == Array(0..<10))
            #expect(reports.faults == [])
        }
    }

    @Test("Failures are counted, and tried ones only when they are final", arguments: TestBackend.allCases)
    func results(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let reports = Reports()
            let options = WorkOptions.progress(reports.take).retry(.attempts(2, delay: .none, where: { _ in true }))
            var count = 0
            for await _ in pool.results(
                AsyncNumbers(count: 50), chunkSize: 5, options: options,
                { number throws -> Int in
                    if number % 5 == 0 || (number % 5 == 1 && Worker.current?.attempt == 1) { throw InputFailure() }
                    return number
                })
            { count += 1 }
            let last = reports.close().last
            #expect(count == 50)
            #expect(last?.completed == 40)
            #expect(last?.failed == 10)
            #expect(last?.total == 50)
            #expect(last?.isFinished == true)
            #expect(reports.faults == [])
        }
    }

    @Test("A call that fails or is cancelled tells its end too", arguments: TestBackend.allCases)
    func failing(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let failed = Reports()
            await #expect(throws: (any Error).self) {
                try await pool.map(0..<100, chunkSize: 1, options: .progress(failed.take)) { number throws -> Int in
                    if number == 20 { throw InputFailure() }
                    return number
                }
            }
            #expect(failed.close().last?.isFinished == true)
            let streamed = Reports()
            await #expect(throws: (any Error).self) {
                for try await _ in pool.stream(
                    0..<9, options: .progress(streamed.take), { _ throws -> Int in throw InputFailure() })
                {}
            }
            #expect(streamed.close().last?.isFinished == true)
            let rendezvous = try Rendezvous()
            let item = Numbered(number: 0, ticket: rendezvous.ticket)
            let cancelled = Reports()
            let call = Task {
                try await pool.map([item], options: .progress(cancelled.take)) { item -> Int in
                    item.ticket.arrive()
                    item.ticket.wait()
                    return 1
                }
            }
            await rendezvous.expectArrivals(1)
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            let ends = cancelled.close().map(\.isFinished)
            #expect(ends.last == true && ends.count(where: { $0 }) == 1)
            rendezvous.letThrough()
            #expect(failed.faults + streamed.faults + cancelled.faults == [])
        }
    }

    @Test("A bar shows share, rate, remaining time and failures")
    func line() {
        var progress = WorkProgress()
        #expect(ProgressBar.line("Resizing", progress) == "Resizing  0")
        progress.completed = 24
        progress.failed = 1
        progress.total = 100
        progress.elapsed = .seconds(50)
        #expect(
            ProgressBar.line("Resizing", progress)
                == "Resizing  [######..................] 25 %  25/100  0.5/s  2:30 left  1 failed")
        progress.total = 100_000
        #expect(ProgressBar.line("", progress).hasSuffix("25/100000  0.5/s  55:32:30 left  1 failed"))
        progress.total = nil
        #expect(ProgressBar.line("", progress) == "25  0.5/s  1 failed")
    }

    @Test("On a terminal a bar draws one line and takes it away; elsewhere it says nothing")
    func terminal() throws {
        // What posix_openpt, unlockpt and ptsname do, which Swift does not see.
        let main = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(main >= 0)
        defer { close(main) }
        var lock: Int32 = 0
        var index: UInt32 = 0
        try #require(ioctl(main, 0x4004_5431, &lock) == 0 && ioctl(main, 0x8004_5430, &index) == 0)
        let side = open("/dev/pts/\(index)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(side >= 0)
        defer { close(side) }
        var size = winsize(ws_row: 24, ws_col: 40, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(side, UInt(TIOCSWINSZ), &size) == 0)

        let bar = ProgressBar("Resizing", on: DescriptorNumber(rawValue: side))
        var progress = WorkProgress()
        progress.completed = 50
        progress.total = 100
        progress.elapsed = .seconds(1)
        bar.update(progress)
        progress.isFinished = true
        bar.update(progress)
        let expected = "\r" + "Resizing  [############............] 50 %".prefix(39) + "\u{1B}[K\r\u{1B}[K"
        var bytes = [UInt8](repeating: 0, count: 1_000)
        var text = ""
        var ready = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
        // A terminal gives out what it has so far.
        while text.utf8.count < expected.utf8.count, poll(&ready, 1, 60_000) == 1 {
            let count = read(main, &bytes, bytes.count)
            try #require(count > 0)
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        #expect(text == expected)

        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        defer { ends.forEach { close($0) } }
        ProgressBar("Resizing", on: DescriptorNumber(rawValue: ends[1])).update(progress)
        #expect(read(ends[0], &bytes, 1) < 0, "nothing was written")
    }
}
