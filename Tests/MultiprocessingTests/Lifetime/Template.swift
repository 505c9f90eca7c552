import Glibc
import Multiprocessing
import TestSupport

/// The process that forks workers of a program, as seen from outside.
enum Template {
    /// No template came within a time in which there has to be one.
    struct Missing: Error, Codable {}

    /// The template's process, if a program has one.
    static func process(of parent: Int32 = getpid()) -> Int32? { child(of: parent, named: "template") }

    /// The worker that a template has forked ahead, if there is one that waits.
    static var spare: Int32? { child(of: getpid(), named: "spare") }

    private static func child(of parent: Int32, named name: String) -> Int32? {
        ProcessTable.children(of: parent).map(\.process).first {
            ProcessFacts.contents("/proc/\($0)/comm").hasSuffix(" \(name)\n")
        }
    }

    /// Where the C library lies in the process that asks: in one place in all that were forked off a template.
    static var place: Int { Int(bitPattern: dlsym(nil, "getpid")) }

    /// Kills workers until one is there that was forked off a template; returns the template.
    @discardableResult
    static func ready(byReplacingWorkersOf pool: Pool) async throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(60)
        var last = 0
        repeat {
            try await replaceWorker(of: pool)
            let place = try await pool.run { Template.place }
            if place == last, let process = process() { return process }
            last = place
            // The template is made a moment after a worker was replaced, and not at once.
            try await Task.sleep(for: .milliseconds(30))
        } while ContinuousClock.now < deadline
        throw Missing()
    }

    /// Kills the worker that runs the next item, and returns when there is another.
    static func replaceWorker(of pool: Pool) async throws {
        let victim = try await pool.run { getpid() }
        kill(victim, SIGKILL)
        while try await pool.run({ getpid() }) == victim {}
    }
}
