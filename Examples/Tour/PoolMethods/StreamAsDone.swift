import Multiprocessing

/// Results as they come: the first input is held back until all others are done.
enum StreamAsDone: Program {
    static let about = "imap_unordered: results as they come, and next(timeout), which does not wait for ever"

    static func run(on stage: Stage) async throws {
        try await withPool(stage.backend, workers: 4) { pool in
            try await takeAsDone(pool)
            try await takeWithTimeout(pool, stage.nap)
        }
    }

    private static func takeAsDone(_ pool: Pool) async throws {
        let othersAreDone = try SharedEvent()
        let stream = pool.stream(0..<10, order: .completion) { number in
            if number == 0 { _ = try await othersAreDone.wait() }
            return number
        }
        var numbers: [Int] = []
        for try await number in stream {
            numbers.append(number)
            if numbers.count == 9 { othersAreDone.set() }
        }
        say("as they came: \(numbers.count) results, the first input's was the last: \(numbers.last ?? -1)")
        try expect(numbers.last, is: 0, "the last result")
        try expect(numbers.sorted(), is: Array(0..<10), "the results")
    }

    private static func takeWithTimeout(_ pool: Pool, _ nap: Duration) async throws {
        let othersAreDone = try SharedEvent()
        var results = pool.stream(0..<10, order: .completion) { number in
            if number == 0 { _ = try await othersAreDone.wait() }
            return number
        }.makeAsyncIterator()
        var numbers: [Int] = []
        while numbers.count < 9, let number = try await results.next() { numbers.append(number) }
        do {
            _ = try await results.next(timeout: nap)
        } catch PoolError.timedOut {
            say("nothing within \(nap)")
        }
        othersAreDone.set()
        let last = try await results.next(timeout: .seconds(60))
        say("and then \(last ?? -1)")
        try expect(Set(numbers).count, is: 9, "the number of results before the last")
        try expect(last, is: 0, "the last result")
    }
}
