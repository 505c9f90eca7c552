import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    @Suite("Privileges", .enabled(if: ServiceProcess.isRoot, "privileges are given and taken by root"))
    struct PrivilegeTests {
        /// A program whose workers would have privileges that their starter may lack says so, and does not multiply.
        private func expectRefusal(_ service: ProbeProcess) async throws {
            let lines = try await service.remainingLines()
            // A worker that ran `main` would say so too.
            #expect(lines.count == 3 && lines.first == "main" && lines.last == "end", "\(lines)")
            let error = try #require(lines.dropFirst().first)
            #expect(error.hasPrefix("error workerStartFailed: "), "\(error)")
            #expect(error.contains("exit code 170"), "\(error)")
            #expect(error.contains("AmbientCapabilities"), "\(error)")
            #expect(try await service.exitStatus() == .exited(0))
        }

        @Test("A set-user-ID program gets an error, and no worker runs its main")
        func setUserID() async throws {
            let copy = try PrivilegedService()
            try copy.setUserID()
            try await expectRefusal(ProbeProcess(["squares"], path: copy.path))
        }

        @Test("A program whose effective user is not its real one gets an error, and no worker runs its main")
        func effectiveUser() async throws {
            try await expectRefusal(ServiceProcess.start("effective"))
        }

        @Test("A service with file capabilities gets an error, and no worker runs its main")
        func fileCapabilities() async throws {
            let copy = try PrivilegedService()
            try #require(try copy.setCapability(), "setcap and setpriv are needed: install libcap2-bin and util-linux")
            let user = "exec setpriv --reuid 65534 --regid 65534 --clear-groups"
            try await expectRefusal(ServiceProcess.start(byShell: "\(user) \"$0\" squares", path: copy.path))
        }

        @Test("A service with ambient capabilities has workers")
        func ambientCapabilities() async throws {
            let copy = try PrivilegedService()
            let user = """
                exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +net_bind_service \
                --ambient-caps +net_bind_service
                """
            let service = try ServiceProcess.start(byShell: "\(user) \"$0\" squares", path: copy.path)
            #expect(try await service.remainingLines() == ServiceProcess.squares)
        }

        @Test("A program that gave up root after its workers started still ends them")
        func rootGivenUp() async throws {
            let service = try ServiceProcess.start("drop")
            let lines = try await service.lines(until: "end")
            #expect(lines.suffix(3) == ["dropped", "endless shutDown", "end"], "\(lines)")
            #expect(lines.workers.count == 2)
            for worker in lines.workers { await expectSoon { !ProcessFacts.isRunning(worker) } }
        }

        @Test("A worker that can neither be killed nor end by itself is left behind, with a word about it")
        func stoppedWorker() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            let flag = notebook.path + ".go"
            defer { unlink(flag) }
            let errors = notebook.path + ".errors"
            defer { unlink(errors) }
            let service = try ServiceProcess.start(byShell: "exec \"$0\" drop \(flag) 2> \(errors)")
            let workers = try await service.lines(until: "dropped").workers
            defer { for worker in workers { kill(worker, SIGKILL) } }
            try #require(Set(workers).count == 2)
            for worker in workers { kill(worker, SIGSTOP) }
            for worker in workers { await expectSoon { ProcessTable.entry(worker)?.state == "T" } }
            close(creat(flag, 0o644))
            // Within the limit of reading: neither end waits for the workers.
            #expect(try await service.lines(until: "end") == ["endless shutDown", "end"])
            let text = try String(decoding: FileDescriptor.open(errors).readToEnd(), as: UTF8.self)
            for worker in workers { #expect(text.contains("worker process \(worker) could not be ended"), "\(text)") }
        }
    }
}
