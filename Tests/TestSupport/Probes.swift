import Synchronization

/// Counts, from any thread.
package final class Counter: Sendable {
    private let value = Atomic(0)

    package init() {}

    package var count: Int { value.load(ordering: .relaxed) }

    @discardableResult
    package func increment() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// A sequence of numbers that counts what is taken from it.
package struct CountedNumbers: Sequence, Sendable {
    package let counter = Counter()
    package var count = Int.max

    package init(count: Int = .max) {
        self.count = count
    }

    package func makeIterator() -> AnyIterator<Int> {
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
package struct AsyncNumbers: AsyncSequence, Sendable {
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let numbers: AsyncNumbers
        fileprivate var next = 0

        package mutating func next() async throws -> Int? {
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

    package let counter = Counter()
    package var count = Int.max
    package var failure: InputFailure?

    package init(count: Int = .max, failure: InputFailure? = nil) {
        self.count = count
        self.failure = failure
    }

    package func makeAsyncIterator() -> Iterator { Iterator(numbers: self) }
}

/// What an input throws.
package struct InputFailure: Error, Equatable {
    package init() {}
}
