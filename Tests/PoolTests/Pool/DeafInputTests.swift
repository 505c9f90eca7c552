import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// An asynchronous sequence that gives some numbers, and then nothing, whoever cancels it.
private struct DeafNumbers: AsyncSequence, Sendable {
    let end = End()
    var count: Int

    struct Iterator: AsyncIteratorProtocol {
        let end: End
        var rest: Range<Int>

        mutating func next() async -> Int? {
            guard let first = rest.popFirst() else {
                await end.wait()
                return nil
            }
            return first
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(end: end, rest: 0..<count) }

    /// What the sequence waits for; let through when the test is over.
    final class End: Sendable {
        private let waiters = Mutex<[CheckedContinuation<Void, Never>]>([])

        var isAwaited: Bool { waiters.withLock { !$0.isEmpty } }

        func wait() async {
            await withCheckedContinuation { waiter in waiters.withLock { $0.append(waiter) } }
        }

        func letThrough() {
            let waiters = waiters.withLock { waiters in
                defer { waiters = [] }
                return waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }
}

/// Streams over an input that ignores cancellation.
@Suite(.admitted)
struct DeafInputTests {
    @Test("An abandoned stream keeps no pool, though its input never ends", arguments: TestBackend.allCases)
    func abandoned(_ backend: TestBackend) async throws {
        let numbers = DeafNumbers(count: 3)
        weak var pool: Pool?
        do {
            let strong = try backend.pool()
            pool = strong
            var values: [Int] = []
            for try await value in strong.stream(numbers, { $0 }) {
                values.append(value)
                if values.count == 3 { break }
            }
            #expect(values == [0, 1, 2])
        }
        await expectSoon { numbers.end.isAwaited }
        await expectSoon { pool == nil }
        numbers.end.letThrough()
    }

    @Test("A cancelled reader does not wait for such an input", arguments: TestBackend.allCases)
    func cancelled(_ backend: TestBackend) async throws {
        let numbers = DeafNumbers(count: 0)
        weak var pool: Pool?
        do {
            let strong = try backend.pool()
            pool = strong
            let reader = Task {
                for await _ in strong.results(numbers, { $0 }) {}
            }
            await expectSoon { numbers.end.isAwaited }
            reader.cancel()
            try await withLimit { await reader.value }
        }
        await expectSoon { pool == nil }
        numbers.end.letThrough()
    }
}
