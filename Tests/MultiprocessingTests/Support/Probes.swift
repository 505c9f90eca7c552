import Synchronization

/// Counts, from any thread.
final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }

    @discardableResult
    func increment() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// A sequence of numbers that counts what is taken from it.
struct CountedNumbers: Sequence, Sendable {
    let counter = Counter()
    var count = Int.max

    func makeIterator() -> AnyIterator<Int> {
        var next = 0
        return AnyIterator {
            guard next < count else { return nil }
            counter.increment()
            defer { next += 1 }
            return next
        }
    }
}

/// An asynchronous sequence of numbers that counts what is taken from it, and can fail at its end.
struct AsyncNumbers: AsyncSequence, Sendable {
    struct Iterator: AsyncIteratorProtocol {
        fileprivate let numbers: AsyncNumbers
        fileprivate var next = 0

        mutating func next() async throws -> Int? {
            await Task.yield()
            guard next < numbers.count else {
                if let failure = numbers.failure { throw failure }
                return nil
            }
            numbers.counter.increment()
            defer { next += 1 }
            return next
        }
    }

    let counter = Counter()
    var count = Int.max
    var failure: InputFailure?

    func makeAsyncIterator() -> Iterator { Iterator(numbers: self) }
}

/// What an input throws.
struct InputFailure: Error, Equatable {}
