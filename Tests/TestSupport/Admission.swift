import MultiprocessingSystem
import Synchronization
package import Testing

/// Lets as many cases of tests run at once as the machine has room for; the others wait before they begin.
///
/// Swift Testing begins all tests at once. Of a thousand that start programs, each would then get so little of the
/// processors that limits meant to find what hangs are passed by what is slow.
package struct Admission: SuiteTrait, TestTrait, TestScoping {
    /// How long a case may take once it is let in; nil where the tests have limits of their own.
    fileprivate let limit: Duration?

    package var isRecursive: Bool { true }

    package func scopeProvider(for test: Test, testCase: Test.Case?) -> Admission? {
        testCase == nil ? nil : self
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // A suite inside another is let in once.
        guard !Self.isInside else { return try await function() }
        let isInOwnProcess = test.traits.contains { $0 is OwnProcess }
        if isInOwnProcess { await Doorkeeper.processes.enter() }
        defer { if isInOwnProcess { Doorkeeper.processes.leave() } }
        await Doorkeeper.shared.enter()
        defer { Doorkeeper.shared.leave() }
        try await Self.$isInside.withValue(true) {
            guard let limit else { return try await function() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await Task.sleep(for: limit)
                    Issue.record("\(test.name) did not end within \(limit)", sourceLocation: test.sourceLocation)
                }
                defer { group.cancelAll() }
                try await function()
            }
        }
    }

    @TaskLocal private static var isInside = false
}

extension Trait where Self == Admission {
    package static var admitted: Admission { Admission(limit: nil) }

    /// For tests without limits of their own: `limit` begins when a case is let in.
    package static func admitted(for limit: Duration) -> Admission { Admission(limit: limit) }
}

/// Has tests that run in a process of their own let in so that some of Swift's threads are left to the others.
///
/// Swift Testing blocks one of them for as long as such a process lives, to read what it says, and another if its output
/// is observed. On a machine with two processors two of those tests would stop all others, which then leave running
/// what they have begun: work in endless loops, for one, which takes the time of the tests that are waited for.
package struct OwnProcess: SuiteTrait, TestTrait {
    package var isRecursive: Bool { true }
}

extension Trait where Self == OwnProcess {
    package static var ownProcess: OwnProcess { OwnProcess() }
}

/// As many as it has places are inside; the others come in by turns.
private final class Doorkeeper: Sendable {
    static let shared = Doorkeeper(places: 4 * Cores.usableHere)
    static let processes = Doorkeeper(places: max(1, Cores.usableHere - 1))

    private struct State {
        var places: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    private init(places: Int) {
        state = Mutex(State(places: places))
    }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isIn = state.withLock { state in
                guard state.places == 0 else {
                    state.places -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isIn { continuation.resume() }
        }
    }

    func leave() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.places += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
