import Multiprocessing
import TestSupport
import Testing

private struct Sum: Job {
    let numbers: [Int]

    func run() -> Int { numbers.reduce(0, +) }
}

private struct Pause: Job {
    let text: String

    func run() async throws -> String {
        await Task.yield()
        return text.uppercased()
    }
}

private struct Report: VoidJob {
    let ticket: Rendezvous.Ticket

    func run() { ticket.arrive(1) }
}

private struct LateReport: VoidJob {
    let ticket: Rendezvous.Ticket

    func run() async throws {
        await Task.yield()
        ticket.arrive(2)
    }
}

/// One item at a time: `run` and `submit` in all their shapes.
@Suite(.admitted)
struct SubmitTests {
    @Test("160 apply: a closure runs with its input, and its value comes back", arguments: TestBackend.allCases)
    func apply(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.run { 6 * 7 } == 42)
            #expect(try await pool.run(6) { $0 * 7 } == 42)
            #expect(try await pool.run("text") { $0.count } == 4)
            #expect(try await pool.run(["a": [1, 2], "b": []]) { $0.mapValues(\.count) } == ["a": 2, "b": 0])
        }
    }

    @Test("160 apply: an asynchronous closure may suspend", arguments: TestBackend.allCases)
    func applyAsynchronously(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let value = try await pool.run {
                await Task.yield()
                return "late"
            }
            #expect(value == "late")
            let length = try await pool.run([1, 2, 3]) { numbers in
                try await Task.sleep(for: .microseconds(10))
                return numbers.count
            }
            #expect(length == 3)
        }
    }

    @Test("167 async, 207 submit: a future gives the value of its item", arguments: TestBackend.allCases)
    func submit(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let nullary = pool.submit { 6 * 7 }
            let unary = pool.submit(6) { $0 * 7 }
            let suspending = pool.submit(6) { number in
                await Task.yield()
                return number * 7
            }
            #expect(try await nullary.value == 42)
            #expect(try await unary.value == 42)
            #expect(try await suspending.value == 42)
            // A value can be asked for again.
            #expect(try await nullary.value == 42)
        }
    }

    @Test("207 submit: a job carries its own input", arguments: TestBackend.allCases)
    func jobs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.run(Sum(numbers: [1, 2, 3])) == 6)
            #expect(try await pool.run(Pause(text: "shout")) == "SHOUT")
            #expect(try await pool.submit(Sum(numbers: [])).value == 0)
        }
    }

    @Test("207 submit: work without a result is work too", arguments: TestBackend.allCases)
    func procedures(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            try await pool.run(Report(ticket: ticket))
            try await pool.run(LateReport(ticket: ticket))
            try await pool.submit(Report(ticket: ticket)).value
            try await pool.run(ticket) { $0.arrive(3) }
            try await pool.run(ticket) { ticket in
                await Task.yield()
                ticket.arrive(4)
            }
            try await pool.submit(ticket) { $0.arrive(5) }.value
            try await pool.run {}
            try await pool.submit {}.value
            try await pool.run { await Task.yield() }
            let void: Future<Void> = pool.submit(()) { _ in }
            try await void.value
        }
        #expect(rendezvous.arrivals == [1, 2, 1, 3, 4, 5])
    }

    @Test("Items run side by side, one on each worker", arguments: TestBackend.allCases)
    func sideBySide(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 3) { pool async throws in
            let futures = (0..<5).map { number in
                pool.submit(Numbered(number: number, ticket: ticket)) { item -> Int in
                    item.ticket.arrive(item.number)
                    item.ticket.wait()
                    return item.number
                }
            }
            await rendezvous.expectArrivals(3)
            #expect(rendezvous.arrivals.sorted() == [0, 1, 2])
            #expect(futures.allSatisfy { !$0.isFinished })
            rendezvous.letThrough(5)
            #expect(try await Future.all(of: futures) == [0, 1, 2, 3, 4])
        }
    }

    @Test("Work is told which worker runs it", arguments: TestBackend.allCases)
    func currentWorker(_ backend: TestBackend) async throws {
        #expect(Worker.current == nil)
        try await backend.withPool(workers: 3) { pool async throws in
            let workers = try await pool.map(0..<60, chunkSize: 1) { _ in
                [Worker.current?.index ?? -1, Int(Worker.current?.processID ?? -1)]
            }
            #expect(workers.allSatisfy { (0..<3).contains($0[0]) })
            let isOther = workers.allSatisfy { $0[1] != ownProcessID }
            #expect(isOther == (backend == .processes))
        }
    }

    @Test("252 many submissions at once neither block nor get lost", arguments: TestBackend.allCases)
    func manySubmissions(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let futures = (0..<2_000).map { pool.submit($0) { $0 + 1 } }
            #expect(try await Future.all(of: futures) == Array(1...2_000))
        }
    }

    @Test("Many tasks submit to one pool at the same time", arguments: TestBackend.allCases)
    func concurrentSubmissions(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for task in 0..<16 {
                    group.addTask {
                        var sum = 0
                        for number in 0..<50 { sum += try await pool.run(task * 50 + number) { $0 } }
                        return sum
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == (0..<800).reduce(0, +))
        }
    }
}
