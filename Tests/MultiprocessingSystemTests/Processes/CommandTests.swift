import Glibc
import MultiprocessingSystem
import Testing

@Suite struct CommandTests {
    @Test(arguments: [0, 1, 7, 255])
    func exitCodeArrives(code: Int32) throws {
        let child = try ChildProcess(shell: "exit \(code)")
        #expect(try child.exitStatus() == .exited(code))
    }

    @Test(arguments: ["SEGV", "KILL", "ABRT", "ILL", "TERM", "TRAP"])
    func signalArrives(name: String) throws {
        let child = try ChildProcess(shell: "kill -\(name) $$")
        #expect(try child.exitStatus().description == "SIG" + name)
    }

    @Test func childSeesOnlyWhatWasPassed() throws {
        // Without close-on-exec, as code outside this package may have opened it.
        let stray = dup(2)
        defer { close(stray) }
        let pipe = try PipePair()
        let child = try ChildProcess(
            shell: "ls /proc/$$/fd; exit 0",
            passing: [pipe.readEnd.number, pipe.writeEnd.number]
        )
        #expect(try child.readOutput() == "0\n1\n2\n3\n4\n")
        #expect(try child.exitStatus() == .exited(0))
    }

    @Test func passedDescriptorsDoNotOverwriteEachOther() throws {
        // Sources and targets overlap, in the opposite order.
        let count = 60
        var numbers: [DescriptorNumber] = []
        defer {
            for number in numbers {
                close(number.rawValue)
            }
        }
        for _ in 0..<count {
            let pipe = try PipePair()
            let text = "\(pipe.readEnd.number)\n"
            #expect(write(pipe.writeEnd.number.rawValue, text, text.utf8.count) == text.utf8.count)
            numbers.append(pipe.takeReadEnd().release())
        }
        numbers.sort { $0.rawValue > $1.rawValue }
        let child = try ChildProcess(
            shell: "i=3; while [ $i -lt \(3 + count) ]; do head -n 1 /proc/self/fd/$i; i=$((i + 1)); done",
            passing: numbers
        )
        #expect(try child.readOutput() == numbers.map { "\($0)\n" }.joined())
        #expect(try child.exitStatus() == .exited(0))
    }

    @Test func standardErrorGoesWhereItIsSent() throws {
        let errors = try PipePair()
        let child = try ChildProcess(
            Command("/bin/sh", arguments: ["sh", "-c", "echo out; echo err >&2"]),
            standardError: errors.writeEnd.number
        )
        #expect(try child.exitStatus() == .exited(0))
        #expect(try child.readOutput() == "out\n")
        let end = errors.takeReadEnd()
        #expect(try String(decoding: end.readToEnd(), as: UTF8.self) == "err\n")
    }

    @Test func standardInputIsEmpty() throws {
        let child = try ChildProcess(shell: "cat; readlink /proc/$$/fd/0")
        #expect(try child.readOutput() == "/dev/null\n")
        #expect(try child.exitStatus() == .exited(0))
    }

    @Test func childLeadsItsOwnSessionAndGroup() throws {
        let child = try ChildProcess(Command("/bin/cat", arguments: ["cat", "/proc/self/stat"]))
        let fields = try child.readOutput().split(separator: " ")
        #expect(fields[0] == "\(child.handle.id)")
        #expect(fields[4] == fields[0])
        #expect(fields[5] == fields[0])
        #expect(getpgid(0) != child.handle.id.rawValue)
        #expect(try child.exitStatus() == .exited(0))
    }

    @Test func childStartsWithDefaultSignals() async {
        // In a process of its own, because a disposition belongs to the whole process.
        await #expect(processExitsWith: .success) {
            signal(SIGUSR2, SIG_IGN)
            signal(SIGINT, SIG_IGN)
            var blocked = sigset_t()
            sigfillset(&blocked)
            pthread_sigmask(SIG_BLOCK, &blocked, nil)
            let child = try ChildProcess(Command("/bin/cat", arguments: ["cat", "/proc/self/status"]))
            let lines = try child.readOutput().split(separator: "\n")
            #expect(lines.contains("SigBlk:\t0000000000000000"))
            #expect(lines.contains("SigIgn:\t0000000000000000"))
            #expect(lines.contains("SigCgt:\t0000000000000000"))
            #expect(try child.exitStatus() == .exited(0))
        }
    }

    @Test func environmentIsChanged() throws {
        setenv("MP_TEST_KEPT", "kept", 1)
        setenv("MP_TEST_REMOVED", "there", 1)
        setenv("MP_TEST_REPLACED", "old", 1)
        setenv("MP_TEST", "short", 1)
        let child = try ChildProcess(
            shell: "env | grep ^MP_TEST | sort",
            environment: ["MP_TEST_REMOVED": nil, "MP_TEST_REPLACED": "new=1", "MP_TEST_ADDED": "added"]
        )
        #expect(
            try child.readOutput()
                == "MP_TEST=short\nMP_TEST_ADDED=added\nMP_TEST_KEPT=kept\nMP_TEST_REPLACED=new=1\n"
        )
        #expect(try child.exitStatus() == .exited(0))
    }

    @Test func environmentIsThatOfTheCommandsMaking() throws {
        setenv("TIME_OF_MAKING", "then", 1)
        let command = Command("/bin/sh", arguments: ["sh", "-c", "echo $TIME_OF_MAKING"])
        setenv("TIME_OF_MAKING", "later", 1)
        #expect(try ChildProcess(command).readOutput() == "then\n")
    }

    @Test(arguments: [("/nowhere/program", Errno.noSuchFile), ("/etc/passwd", .permissionDenied)])
    func unusableExecutableThrows(path: String, errno: Errno) throws {
        let error = #expect(throws: SystemError.self) {
            _ = try Command(path, arguments: ["program"]).spawn()
        }
        #expect(error?.errno == errno)
        #expect(error?.operation == "posix_spawn \(path)")
    }

    @Test func missingDescriptorThrows() throws {
        let error = #expect(throws: SystemError.self) {
            _ = try Command("/bin/true", arguments: ["true"]).spawn(passing: [DescriptorNumber(rawValue: 99_999)])
        }
        #expect(error?.errno == .badDescriptor)
    }

    @Test func nothingLeaksWhetherItStartsOrNot() async {
        await #expect(processExitsWith: .success) {
            let before = try openDescriptors()
            for _ in 0..<20 {
                let child = try ChildProcess(shell: "exit 3", passing: [.standardError])
                #expect(try child.exitStatus() == .exited(3))
                #expect(throws: SystemError.self) {
                    _ = try ChildProcess(Command("/nowhere", arguments: ["x"]), passing: [.standardError])
                }
            }
            try expectDescriptors(before)
            // Every child was reaped.
            #expect(waitpid(-1, nil, WNOHANG) == -1)
            #expect(errno == ECHILD)
        }
    }

    @Test func descriptorsRunningOutIsAnErrorAndLeavesNothing() async {
        await #expect(processExitsWith: .success) {
            // No gaps, whatever this process was started with: each step takes the next number.
            let highest = try #require(openDescriptors().max())
            var next: Int32 = 0
            while next <= highest { next = dup(STDIN_FILENO) }
            let before = try openDescriptors()
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            var failures: Set<String> = []
            var succeeded = false
            // Again if a timer that Dispatch opened meanwhile took the number that the last step lacked.
            for _ in 0..<20 where !failures.contains("pidfd_open") {
                succeeded = false
                // One more each time, so that each step of the way is the one that fails.
                var allowed = rlim_t(next + 1)
                while !succeeded, allowed < rlim_t(next + 200) {
                    var lowered = rlimit(rlim_cur: allowed, rlim_max: limit.rlim_max)
                    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &lowered)
                    do {
                        let child = try ChildProcess(shell: "exit 0", passing: [.standardError])
                        #expect(try child.exitStatus() == .exited(0))
                        succeeded = true
                    } catch let error as SystemError {
                        // EINVAL: F_DUPFD with a lowest number above the limit.
                        #expect(error.errno == .tooManyOpenFiles || error.errno == .invalidArgument)
                        failures.insert(error.operation)
                    }
                    allowed += 1
                }
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            }
            // The child that was running by then has been killed and reaped.
            #expect(failures.contains("pidfd_open"))
            #expect(failures.count > 1)
            #expect(succeeded)
            try expectDescriptors(before)
            #expect(waitpid(-1, nil, WNOHANG) == -1)
        }
    }
}
