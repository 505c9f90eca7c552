import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    @Suite("The end of the program")
    struct ParentTests {
        @Test(
            "Pitfall 12: when the program is killed its workers are gone within a second",
            arguments: ["busy", "asleep", "idle"])
        func killed(_ mode: String) async throws {
            let probe = try ProbeProcess(mode)
            let workers = try await probe.lines(until: "ready").workers
            #expect(workers.count == 3)
            #expect(workers.allSatisfy { ProcessFacts.isRunning($0) })

            try probe.handle.send(.kill)
            await expectSoon("workers outlive their program", within: .seconds(1)) {
                !workers.contains { ProcessFacts.isRunning($0) }
            }
        }

        @Test("Pitfall 12: the workers' own workers are gone too")
        func killedWithNestedPools() async throws {
            let probe = try ProbeProcess("nested")
            let workers = try await probe.lines(until: "ready").workers
            #expect(workers.count == 4)
            #expect(workers.allSatisfy { ProcessFacts.isRunning($0) })

            try probe.handle.send(.kill)
            await expectSoon("workers outlive their program", within: .seconds(1)) {
                !workers.contains { ProcessFacts.isRunning($0) }
            }
        }

        @Test("Pitfall 15: a pool that was never shut down does not keep the program from ending")
        func forgotten() async throws {
            let probe = try ProbeProcess("forgotten")
            let workers = try await probe.lines(until: "ready").workers
            #expect(workers.count == 2)
            #expect(try await probe.exitStatus() == .exited(0))
            await expectSoon(within: .seconds(1)) { !workers.contains { ProcessFacts.isRunning($0) } }
        }

        @Test("Pitfall 15: a program that exits with busy workers leaves none")
        func exits() async throws {
            let probe = try ProbeProcess("exit")
            let workers = try await probe.lines(until: "ready").workers
            #expect(workers.count == 3)
            #expect(try await probe.exitStatus() == .exited(7))
            await expectSoon(within: .seconds(1)) { !workers.contains { ProcessFacts.isRunning($0) } }
        }

        @Test("Pitfall 13: the terminal's SIGINT does not reach the workers")
        func interrupted() async throws {
            let flag = try Notebook()
            flag.remove()
            defer { flag.remove() }
            let probe = try ProbeProcess("interrupted", flag.path)
            let workers = try await probe.lines(until: "ready").workers
            // As the terminal does: to each process of the foreground group, which the probe leads.
            #expect(kill(-probe.id, SIGINT) == 0)
            #expect(creat(flag.path, 0o600) >= 0)
            let rest = try await probe.remainingLines()
            #expect(workers.contains { rest == ["survivor \($0)"] })
            #expect(try await probe.exitStatus() == .exited(0))
        }

        @Test("A program whose executable was deleted while it runs still starts workers")
        func deletedExecutable() async throws {
            var folder = Array("/tmp/multiprocessing-probe-XXXXXX".utf8CString)
            let path = String(cString: try #require(mkdtemp(&folder)))
            defer { rmdir(path) }
            let copy = try Command("/bin/cp", arguments: ["cp", ProbeProcess.path, path + "/probe"]).spawn()
            try await expectSoon { try copy.reap() == .exited(0) }

            let probe = try ProbeProcess("deleted", path: path + "/probe")
            let lines = try await probe.remainingLines()
            #expect(lines.workers.count == 2)
            #expect(lines.contains("executable exists: false"))
            #expect(lines.contains("squares [1, 4, 9, 16]"))
            #expect(try await probe.exitStatus() == .exited(0))
        }
    }
}
