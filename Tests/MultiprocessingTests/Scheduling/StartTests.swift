import Multiprocessing
import TestSupport
import Testing

/// Starting a pool's workers before there is work.
@Suite(.admitted)
struct StartTests {
    @Test("start() returns when every worker is ready", .ownProcess)
    func allReady() async {
        await #expect(processExitsWith: .success) {
            let before = Usage.current.children
            let pool = try Pool(.processes, workers: 3)
            try await pool.start()
            #expect(Usage.current.children == before + 3)
            // Again, when there is nothing to start.
            try await pool.start()
            #expect(Usage.current.children == before + 3)
            let values = try await pool.map(1...3) { $0 }
            #expect(values == [1, 2, 3])
            await pool.shutDown()
        }
    }

    @Test("Threads are ready at once, and several may start a pool", arguments: TestBackend.allCases)
    func several(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 4) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { try await pool.start() } }
                try await group.waitForAll()
            }
            #expect(try await pool.run { 3 } == 3)
        }
    }

    @Test("A pool that has ended does not start", arguments: TestBackend.allCases)
    func ended(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            await pool.shutDown()
            let error = await #expect(throws: PoolError.self) { try await pool.start() }
            #expect(error?.code == .shutDown)
        }
    }

    @Test("A start that is overtaken by the pool's end says so", arguments: TestBackend.allCases)
    func overtaken(_ backend: TestBackend) async throws {
        for _ in 0..<10 {
            try await backend.withPool(workers: 4) { pool in
                async let start: Void = pool.start()
                await pool.terminate()
                do {
                    try await start
                } catch PoolError.shutDown {
                    // Either is right; what must not be is a wait for ever.
                }
            }
        }
    }

    @Test("A cancelled start throws at once, and the workers come all the same", arguments: TestBackend.allCases)
    func cancelled(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let start = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await pool.start()
            }
            await #expect(throws: CancellationError.self) { try await start.value }
            try await pool.start()
            #expect(try await pool.run { 3 } == 3)
        }
    }
}
