import Glibc
import MultiprocessingSystem
import Testing

/// The constructor that turns a second start of this executable into a worker.
@Suite struct WorkerEntryTests {
    /// This test program, told to do next to nothing.
    private func program(_ environment: [String: String?]) -> Command {
        Command("/proc/self/exe", arguments: ["program", "--list-tests"], environment: environment)
    }

    @Test func programWithASocketIsAWorker() throws {
        let pair = try SocketPair()
        let child = try ChildProcess(program(["MULTIPROCESSING_WORKER": "3"]), passing: [pair.second.number])
        #expect(try child.readOutput() == "")
        _ = try child.exitStatus()
    }

    /// A process that is marked as a worker never runs `main`, which would start workers that run `main`.
    @Test(arguments: ["0", "1", "3", "4", "99", "", "-1", "3x", " 3", "99999999999999999999", "junk"])
    func markWithoutASocketEndsTheProgram(value: String) throws {
        let pipe = try PipePair()
        let errors = try PipePair()
        let child = try ChildProcess(
            program(["MULTIPROCESSING_WORKER": value]),
            standardError: errors.writeEnd.number,
            passing: [pipe.readEnd.number])
        #expect(try child.exitStatus() == .exited(171))
        #expect(try child.readOutput() == "")
        let end = errors.takeReadEnd()
        #expect(try String(decoding: end.readToEnd(), as: UTF8.self).contains("unset the variable"))
    }
}
