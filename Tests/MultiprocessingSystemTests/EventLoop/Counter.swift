import Glibc
import MultiprocessingSystem
import Synchronization
import Testing

/// A number that threads share, and that a test can wait for.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .acquiring) }

    @discardableResult
    func add(_ amount: Int = 1) -> Int {
        number.add(amount, ordering: .acquiringAndReleasing).newValue
    }

    /// Counts one if `condition` holds; an error is a failure of the test.
    func add(if condition: () throws -> Bool) {
        do {
            if try condition() {
                add()
            }
        } catch {
            Issue.record(error)
        }
    }

    /// Waits until the number is at least `target`.
    func wait(for target: Int, limit: Duration = .seconds(20)) throws {
        try waitUntil("\(target) were counted, not \(value)", limit: limit) { value >= target }
    }
}

/// Looks at a condition until it holds.
func waitUntil(_ what: @autoclosure () -> String, limit: Duration = .seconds(20), _ condition: () throws -> Bool) throws
{
    let deadline = MonotonicTime.now().advanced(by: limit)
    while try !condition() {
        try #require(MonotonicTime.now() < deadline, "\(what()) within \(limit)")
        usleep(200)
    }
}
