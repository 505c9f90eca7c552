import Multiprocessing
import TestSupport
import Testing

/// Forms in which people write calls; most of the test is that they compile.
@Suite(.admitted)
struct CallFormsTests {
    @Test("A backend is named, made, chosen at run time, or left out", arguments: [true, false])
    func backends(isIsolated: Bool) async throws {
        let chosen: any Backend = isIsolated ? .processes : .threads
        let pools = [
            try Pool(isIsolated ? .processes : .threads), try Pool(chosen), try Pool(.processes), try Pool(.threads),
            try Pool(), try Pool(workers: 1), try Pool(ProcessBackend()), try Pool(ThreadBackend(), workers: 2),
            try Pool(isIsolated ? .processes : .threads, workers: 1), try generic(ProcessBackend()),
            try generic(ThreadBackend()),
        ]
        for pool in pools { await pool.terminate() }
        let isElsewhere = try await withPool(isIsolated ? .processes : .threads, workers: 1) { pool in
            try await pool.run(ownProcessID) { $0 != ownProcessID }
        }
        #expect(isElsewhere == isIsolated)
        #expect(try await withPool(chosen) { try await $0.run { 1 } } == 1)
        #expect(try await withPool(.threads) { try await $0.run { 2 } } == 2)
        #expect(try await withPool { try await $0.run { 3 } } == 3)
    }

    private func generic<B: Backend>(_ backend: B) throws -> Pool { try Pool(backend) }

    @Test("The codes of errors are patterns")
    func patterns() async throws {
        let hasCrashed = try await withPool(.processes, workers: 1) { pool in
            do {
                try await pool.run(0) { _ = 1 / $0 }
                return false
            } catch PoolError.timedOut {
                return false
            } catch PoolError.workerCrashed {
                return true
            }
        }
        #expect(hasCrashed)

        let pool = try Pool(.threads, workers: 1)
        await pool.shutDown()
        do {
            _ = try await pool.run { 1 }
            Issue.record("a pool that was shut down ran something")
        } catch PoolError.shutDown {
            // Right.
        } catch PoolError.notPortable, PoolError.workerStartFailed, PoolError.remote, PoolError.invalidArgument {
            Issue.record("another code matched")
        } catch {
            Issue.record("no code matched \(error)")
        }
    }

    @Test("A code matches no other error")
    func otherErrors() {
        let errors: [any Error] = [CancellationError(), InputFailure()]
        for error in errors {
            if case PoolError.workerCrashed = error { Issue.record("\(error) matched") }
            if case PoolError.remote = error { Issue.record("\(error) matched") }
        }
    }
}
