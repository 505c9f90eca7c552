import Glibc
import Multiprocessing
import TestSupport
import Testing

private struct Mishap: Error, Codable, Equatable {
    let index: Int
}

@Suite(.admitted)
struct CrewTests {
    @Test("Each worker runs the function once, all at the same time", arguments: TestBackend.allCases)
    func allRun(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let crew = try Crew(backend.backend, workers: 3, (ticket, 10)) { (ticket, base) in
                let index = Worker.current?.index ?? -1
                ticket.arrive(index)
                ticket.wait()
                return base + index
            }
            await rendezvous.expectArrivals(3)
            #expect(crew.isRunning)
            #expect(crew.workerCount == 3)
            #expect(Set(rendezvous.arrivals) == [0, 1, 2])
            #expect(crew.processIDs.count == (backend == .processes ? 3 : 0))
            rendezvous.letThrough(3)
            #expect(try await crew.join().sorted() == [10, 11, 12])
            #expect(!crew.isRunning)
            #expect(crew.processIDs.isEmpty)
        }
    }

    @Test("Where one throws the others go on, and join throws its error in the end", arguments: TestBackend.allCases)
    func oneThrows(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let crew = try Crew(backend.backend, workers: 3, ticket) { ticket in
                let index = Worker.current?.index ?? -1
                ticket.arrive(index)
                if index == 1 { throw Mishap(index: 1) }
                ticket.wait()
                ticket.arrive(10)
            }
            await rendezvous.expectArrivals(3)
            #expect(crew.isRunning)
            rendezvous.letThrough(2)
            await #expect(throws: Mishap(index: 1)) { try await crew.join() }
        }
        #expect(rendezvous.arrivals.count { $0 == 10 } == 2)
    }

    @Test("Where one crashes the others go on; its future says how", arguments: [false, true])
    func oneCrashes(isKilled: Bool) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let crew = try Crew(.processes, workers: 3, (ticket, isKilled)) { (ticket, isKilled) in
                ticket.arrive(Int(getpid()))
                if Worker.current?.index == 0 {
                    if isKilled { while true { sleep(1_000) } } else { fatalError("on purpose") }
                }
                ticket.wait()
                return 5
            }
            await rendezvous.expectArrivals(3)
            if isKilled {
                for process in crew.processIDs where ProcessFacts.contents("/proc/\(process)/comm").hasSuffix(" 0\n") {
                    #expect(kill(process, SIGKILL) == 0)
                }
            }
            let first = try await Future.first(of: crew.futures)
            let error = await #expect(throws: PoolError.self) { try await first?.value }
            #expect(error?.code == .workerCrashed)
            #expect(crew.isRunning)
            rendezvous.letThrough(2)
            await #expect(throws: PoolError.self) { try await crew.join() }
            var good = 0
            for future in crew.futures where (try? await future.value) == 5 { good += 1 }
            #expect(good == 2)
        }
    }

    @Test("With a retry the function runs again in a new worker where one crashed")
    func restarted() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        // Once: the place of the first worker may be taken again before the second has started.
        let crash = try SharedEvent()
        try await withLimit {
            let crew = try Crew(
                .processes, workers: 2, ticket, options: .retry(.attempts(2, delay: .constant(.zero)))
            ) { ticket in
                ticket.arrive(Int(getpid()))
                if Worker.current?.index == 0, !crash.isSet {
                    crash.set()
                    abort()
                }
                ticket.wait()
                return Worker.current?.attempt ?? 0
            }
            await rendezvous.expectArrivals(3)
            #expect(Set(rendezvous.arrivals).count == 3)
            rendezvous.letThrough(2)
            #expect(try await crew.join().sorted() == [1, 2])
        }
    }

    @Test("terminate stops loops that never end", arguments: TestBackend.allCases)
    func terminated(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let crew = try Crew(backend.backend, workers: 2, ticket) { ticket in
                ticket.arrive(Int(getpid()))
                while !Task.isCancelled { usleep(1_000) }
            }
            await rendezvous.expectArrivals(2)
            await crew.terminate()
            for future in crew.futures {
                let error = await #expect(throws: PoolError.self) { try await future.value }
                #expect(error?.code == .shutDown)
            }
            if backend == .processes {
                #expect(rendezvous.arrivals.allSatisfy { !ProcessFacts.isRunning(Int32($0)) })
            }
        }
    }

    @Test("Cancelling the task that joins cancels the loops", arguments: TestBackend.allCases)
    func joinCancelled(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let crew = try Crew(backend.backend, workers: 2, ticket) { ticket in
                ticket.arrive(1)
                if blockUntilCancelled() { ticket.arrive(2) }
            }
            await rendezvous.expectArrivals(2)
            let task = Task { try await crew.join() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await rendezvous.expectArrivals(4)
        }
        #expect(rendezvous.arrivals == [1, 1, 2, 2])
    }

    @Test("Work that cannot be sent, and a number of workers that cannot be, are refused")
    func refused() async throws {
        final class Object: Sendable {}
        let object = Object()
        await expectRefusal("Object") {
            _ = try Crew(.processes, workers: 2) { withExtendedLifetime(object) {} }
        }
        #expect(throws: PoolError.self) { try Crew(.threads, workers: 0) {} }
    }

    @Test("In a scope it is joined, and stopped when the scope throws", arguments: TestBackend.allCases)
    func scoped(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let count = try await withCrew(try Crew(backend.backend, workers: 2) { ticket.wait() }) { crew in
                rendezvous.letThrough(2)
                return crew.workerCount
            }
            #expect(count == 2)
            await #expect(throws: Mishap(index: 3)) {
                try await withCrew(try Crew(backend.backend, workers: 2) { _ = blockUntilCancelled() }) { _ in
                    throw Mishap(index: 3)
                }
            }
        }
    }

    @Test("Blocking code joins too", arguments: TestBackend.allCases)
    func blocking(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            try await onBlockableThread {
                let crew = try Crew(backend.backend, workers: 2) {
                    ticket.wait()
                    return 1
                }
                let error = #expect(throws: PoolError.self) { try crew.join(timeout: .milliseconds(5)) }
                #expect(error?.code == .timedOut)
                rendezvous.letThrough(2)
                #expect(try crew.join() == [1, 1])
            }
        }
    }
}
