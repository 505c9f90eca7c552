import Multiprocessing

/// The same function as a thread and as a process of its own, started and waited for in the same words.
enum SideBySide: Program {
    static let about = "a thread and a process, side by side"

    static func run(on stage: Stage) async throws {
        let thread = try ChildProcess(.threads, (1, 2)) { (a, b) in job(a, b, "thread") }
        let process = try ChildProcess(.processes, (1, 2)) { (a, b) in job(a, b, "process") }
        try await thread.value
        try await process.value
        try expect(thread.processID, is: nil, "the thread's process")
        try insist(process.processID != nil, "the process has no number")

        let child = try ChildProcess(stage.backend, (1, 2)) { (a, b) in
            say("\(a) \(b)")
            return a + b
        }
        try expect(try await child.value, is: 3, "the sum")
        try expect(try await child.wait(), is: .returned, "how the child ended")
    }

    private static func job(_ a: Int, _ b: Int, _ place: String) { say("aaaaa, in a \(place)") }
}
