import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

/// What a process has of what a pool could leave behind.
///
/// Told by a process that does nothing else: the body of an exit test.
struct Usage: CustomStringConvertible {
    let descriptors: Int
    let threads: Int
    let children: Int

    static var current: Usage {
        // Timers are Dispatch's, which makes them when it likes; one descriptor lists the folder.
        let descriptors = ProcessTable.numbers(in: "/proc/self/fd").filter { number in
            let target = ProcessFacts.target(of: "/proc/self/fd/\(number)")
            return target != nil && target != "anon_inode:[timerfd]"
        }
        return Usage(
            descriptors: descriptors.count,
            threads: ProcessTable.numbers(in: "/proc/self/task").count,
            children: ProcessTable.children().count)
    }

    var description: String { "\(descriptors) descriptors, \(threads) threads, \(children) children" }

    /// Fails unless there comes a moment at which the process has no more than this.
    ///
    /// Dispatch keeps its threads for some seconds.
    func expectAgain(sourceLocation: SourceLocation = #_sourceLocation) async {
        var last = self
        let deadline = ContinuousClock.now + .seconds(20)
        repeat {
            last = Usage.current
            if last.descriptors <= descriptors, last.threads <= threads, last.children <= children { return }
            try? await Task.sleep(for: .milliseconds(10))
        } while ContinuousClock.now < deadline
        Issue.record("\(last) are left, of \(self) before", sourceLocation: sourceLocation)
    }

    /// Does the same some times and fails if that leaves anything behind.
    ///
    /// Once before anything is counted, because the first time makes what stays, such as Dispatch's queues.
    static func expectNoGrowth(
        times: Int = 5,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws {
        try await body()
        // Made for the first worker, which may be started behind the body's back, and kept.
        _ = try LifePage.current
        let before = Usage(descriptors: Usage.current.descriptors, threads: Usage.current.threads, children: 0)
        for _ in 0..<times { try await body() }
        await before.expectAgain(sourceLocation: sourceLocation)
    }
}
