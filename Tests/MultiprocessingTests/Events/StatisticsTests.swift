import Foundation
import Glibc
import Multiprocessing
import TestSupport
import Testing

@Suite("Statistics of a pool", .admitted)
struct StatisticsTests {
    @Test("Numbers add up at every moment of a mixed run", arguments: TestBackend.allCases)
    func numbersAddUp(backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let looking = Task {
                var looks = 0
                while !Task.isCancelled {
                    check(pool.statistics)
                    looks += 1
                    await Task.yield()
                }
                return looks
            }
            async let sum = pool.map(0..<20_000) { $0 }.reduce(0, +)
            let futures = (0..<500).map { number in
                pool.submit(number) { number in
                    if number % 5 == 0 { throw CancellationError() }
                    return number
                }
            }
            for future in futures where Bool.random() { future.cancel() }
            for future in futures { _ = await future.result }
            let total = try await sum
            #expect(total == 199_990_000)
            looking.cancel()
            #expect(await looking.value > 0)
            await pool.shutDown()
            let last = pool.statistics
            check(last)
            #expect(last.submitted == 20_500)
            #expect(last.queued == 0 && last.running == 0 && last.busyWorkers == 0)
            #expect(last.cancelled + last.failed >= 100)
            #expect(last.runningTime.count >= last.finished)
            #expect(last.workers.reduce(0) { $0 + $1.finished } == last.finished)
            #expect(last.workersStarted >= 1 && last.workersCrashed == 0)
        }
    }

    @Test("Items that are run one by one are counted", arguments: TestBackend.allCases)
    func runsAreCounted(backend: TestBackend) async throws {
        try await backend.withPool { pool in
            for number in 0..<50 {
                let same = try await pool.run(number) { $0 }
                #expect(same == number)
            }
            await pool.shutDown()
            let numbers = pool.statistics
            check(numbers)
            #expect(numbers.submitted == 50 && numbers.finished == 50)
            #expect(numbers.waitingTime.maximum < .seconds(240))
        }
    }

    private func check(_ numbers: PoolStatistics) {
        let ended = numbers.finished + numbers.failed + numbers.timedOut + numbers.cancelled
        #expect(numbers.submitted == ended + numbers.queued + numbers.running)
        #expect(numbers.workers.allSatisfy { $0.running >= 0 })
        #expect(numbers.queued >= 0)
    }

    @Test("Crashes are counted, with what they cost")
    func crashesAreCounted() async throws {
        try await TestBackend.processes.withPool { pool in
            let results = pool.results(0..<40, chunkSize: 10) { number -> Int in
                if number == 3 || number == 35 { fatalError("on purpose") }
                return number
            }
            for try await _ in results {}
            await pool.shutDown()
            let numbers = pool.statistics
            check(numbers)
            #expect(numbers.workersCrashed == 2)
            #expect(numbers.failed == 2)
            #expect(numbers.finished == 38)
            #expect(numbers.workers.reduce(0) { $0 + $1.crashed } == 2)
        }
    }

    @Test("Waiting and running are told apart", arguments: TestBackend.allCases)
    func timesAreTold(backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool in
            try await pool.start()
            let start = ContinuousClock.now
            let futures = (0..<3).map { _ in pool.submit { _ = usleep(30_000) } }
            // By so much less the last may have waited.
            let submitting = ContinuousClock.now - start
            for future in futures { try await future.value }
            await pool.shutDown()
            let numbers = pool.statistics
            check(numbers)
            #expect(numbers.runningTime.count == 3)
            #expect(numbers.runningTime.minimum >= .milliseconds(30))
            // The third waited for two others.
            #expect(numbers.waitingTime.maximum + submitting >= .milliseconds(60))
            #expect(numbers.workers.first.map { $0.busyTime >= .milliseconds(90) } == true)
        }
    }

    @Test("Times are told for each worker, and make those of all", arguments: TestBackend.allCases)
    func timesOfWorkersAreTold(backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 2) { pool in
            try await pool.start()
            // Each worker has one of them.
            let pair = (0..<2).map { number in
                pool.submit(number) { number in
                    ticket.arrive(number)
                    ticket.wait()
                }
            }
            await rendezvous.expectArrivals(2)
            let waiting = pool.submit { 3 }
            let now = pool.statistics
            #expect((now.busyWorkers, now.idleWorkers, now.running, now.queued) == (2, 0, 2, 1))
            rendezvous.letThrough(2)
            for future in pair { try await future.value }
            #expect(try await waiting.value == 3)
            for number in 0..<20 { try await pool.run(number) { _ = usleep(UInt32(1_000 * $0)) } }
            await pool.shutDown()
            let numbers = pool.statistics
            check(numbers)
            #expect(numbers.workers.count == 2)
            #expect(numbers.runningTime.count == 23)
            for (ofAll, times) in [
                (numbers.runningTime, numbers.workers.map(\.runningTime)),
                (numbers.waitingTime, numbers.workers.map(\.waitingTime)),
            ] {
                #expect(times.allSatisfy { $0.count > 0 })
                #expect(ofAll.count == times.reduce(0) { $0 + $1.count })
                #expect(ofAll.minimum == times.map(\.minimum).min())
                #expect(ofAll.maximum == times.map(\.maximum).max())
                #expect(times.allSatisfy { $0.minimum <= $0.p50 && $0.p50 <= $0.p99 && $0.p99 <= $0.maximum })
            }
        }
    }

    @Test("Statistics are Codable")
    func areCodable() async throws {
        try await TestBackend.threads.withPool { pool in
            _ = try await pool.map(0..<100) { $0 }
            await pool.shutDown()
            let numbers = pool.statistics
            let copy = try JSONDecoder().decode(PoolStatistics.self, from: try JSONEncoder().encode(numbers))
            #expect(copy.finished == 100)
            #expect(copy.runningTime == numbers.runningTime)
            #expect(copy.workers.count == numbers.workers.count)
        }
    }
}

extension StatisticsTests {
    @Test("Bytes each way are counted, on processes", arguments: TestBackend.allCases)
    func bytesAreCounted(backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let text = String(repeating: "x", count: 1_000)
            let count = try await pool.map(0..<100) { _ in text }.count
            let sizes = try await pool.map((0..<50).map { _ in text }) { $0.utf8.count }
            #expect(count == 100 && sizes == Array(repeating: 1_000, count: 50))
            await pool.shutDown()
            let numbers = pool.statistics
            if backend == .threads {
                #expect(numbers.bytesSent == 0 && numbers.bytesReceived == 0)
            } else {
                #expect((50_000..<80_000).contains(numbers.bytesSent), "\(numbers.bytesSent)")
                #expect((100_000..<130_000).contains(numbers.bytesReceived), "\(numbers.bytesReceived)")
                #expect(numbers.workers.reduce(0) { $0 + $1.bytesSent } == numbers.bytesSent)
                #expect(numbers.workers.reduce(0) { $0 + $1.bytesReceived } == numbers.bytesReceived)
            }
        }
    }
}
