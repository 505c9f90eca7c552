import Glibc
import MultiprocessingSystem
import Synchronization
import Testing

@Suite struct ProcessHandleTests {
    @Test func runningProcessIsNotReaped() throws {
        let child = try ChildProcess(shell: "echo up; read x < /dev/zero; sleep 1000")
        #expect(try child.readLine() == "up")
        #expect(try child.handle.reap() == nil)
        #expect(child.handle.exitStatus == nil)
        #expect(try child.handle.killGroup())
        #expect(try child.exitStatus() == .signaled(.kill))
        #expect(child.handle.exitStatus == .signaled(.kill))
        #expect(try child.handle.reap() == .signaled(.kill))
    }

    @Test func signalReachesTheProcess() throws {
        let child = try ChildProcess(shell: "trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done")
        #expect(try child.readLine() == "up")
        #expect(try child.handle.send(.terminate))
        #expect(try child.exitStatus() == .exited(9))
    }

    @Test func nothingIsSentOnceReaped() throws {
        let child = try ChildProcess(shell: "exit 0")
        #expect(try child.exitStatus() == .exited(0))
        #expect(try child.handle.send(.kill) == false)
        #expect(try child.handle.killGroup() == false)
    }

    @Test func zombieStillTakesAKill() throws {
        let child = try ChildProcess(shell: "exit 4")
        try waitUntilReadable(child.handle.exitDescriptor, ChildProcess.limit)
        #expect(try child.handle.killGroup())
        #expect(try child.exitStatus() == .exited(4))
    }

    @Test func killingTheGroupReachesGrandchildren() throws {
        let child = try ChildProcess(shell: "sleep 1000 & echo up; wait")
        #expect(try child.readLine() == "up")
        #expect(try child.handle.killGroup())
        // The grandchild holds the pipe: its end is the proof.
        #expect(try child.readOutput() == "")
        #expect(try child.exitStatus() == .signaled(.kill))
    }

    @Test func waitingBlocksUntilTheEnd() throws {
        let child = try ChildProcess(shell: "exit 5")
        #expect(try child.handle.waitUntilExit() == .exited(5))
    }

    @Test func manyThreadsReapOnce() throws {
        let child = try ChildProcess(shell: "exit 6")
        let handle = child.handle
        let results = ResultList()
        var threads: [@Sendable () -> Void] = []
        for _ in 0..<8 {
            threads.append {
                results.append((try? handle.waitUntilExit()) ?? .unknown)
            }
        }
        try runConcurrently(threads)
        #expect(results.values == Array(repeating: .exited(6), count: 8))
    }

    @Test func statusIsUnknownWhenTheProgramIgnoresItsChildren() async {
        await #expect(processExitsWith: .success) {
            signal(SIGCHLD, SIG_IGN)
            let child = try ChildProcess(shell: "echo up; exec sleep 1000")
            #expect(try child.readLine() == "up")
            try child.handle.send(.kill)
            #expect(try child.exitStatus() == .unknown)
            #expect(try child.handle.killGroup() == false)
        }
    }

    /// The group outlives its leader, and until its last member is gone nobody else can get its number.
    @Test(arguments: [true, false])
    func groupIsKilledAlthoughItsLeaderIsGone(byNumber: Bool) async {
        await #expect(processExitsWith: .success) { [byNumber] in
            signal(SIGCHLD, SIG_IGN)
            let child = try ChildProcess(shell: "sleep 1000 & echo $!; wait")
            let grandchild = try #require(Int32(try child.readLine()))
            try child.handle.send(.kill)
            try waitUntilReadable(child.handle.exitDescriptor, ChildProcess.limit)
            try waitUntil("the leader is gone") { getpgid(child.handle.id.rawValue) < 0 }
            #expect(kill(grandchild, 0) == 0)
            if byNumber {
                #expect(try ProcessHandle.signalGroup(of: child.handle.id, child.handle.exitDescriptor))
            } else {
                #expect(try child.handle.killGroup())
            }
            // It holds the pipe: its end is the proof.
            #expect(try child.readOutput() == "")
        }
    }

    @Test func nothingIsSentToAProcessThatOthersReaped() async {
        await #expect(processExitsWith: .success) {
            let child = try ChildProcess(shell: "exit 0")
            while waitpid(child.handle.id.rawValue, nil, 0) < 0, errno == EINTR {}
            #expect(try child.handle.send(.kill) == false)
            #expect(try child.handle.killGroup() == false)
            #expect(try child.handle.reap() == .unknown)
        }
    }
}

private final class ResultList: Sendable {
    private let list = Mutex<[ExitStatus]>([])

    var values: [ExitStatus] { list.withLock { $0 } }

    func append(_ status: ExitStatus) {
        list.withLock { $0.append(status) }
    }
}

/// Runs bodies on threads of their own and waits for all.
func runConcurrently(_ bodies: [@Sendable () -> Void]) throws {
    if let body = bodies.first {
        let thread = try NativeThread(name: "mp-test", body)
        let rest = Result { try runConcurrently(Array(bodies.dropFirst())) }
        thread.join()
        try rest.get()
    }
}
