import Dispatch
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// What a worker keeps; not Sendable, as a connection is not.
private final class Kept {
    let id = UInt64.random(in: 0 ... .max)
    var notebook: Notebook?
    var name = ""

    deinit { notebook?.write(name) }
}

private struct NoLuck: Error, Codable {}

private enum Locals {
    static let first = WorkerLocal { Kept() }
    static let second = WorkerLocal { Kept() }
    static let tries = Atomic(0)
    static let lucky = WorkerLocal {
        if tries.wrappingAdd(1, ordering: .relaxed).newValue % 3 != 0 { throw NoLuck() }
        return tries.load(ordering: .relaxed)
    }
    static let snake: WorkerLocal<Int> = WorkerLocal { try tail() }
    static func tail() throws -> Int { try snake.value + 1 }
    static let slow = WorkerLocal {
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(20))
        return UInt64.random(in: 0 ... .max)
    }
}

private struct Sight: Codable, Hashable {
    let worker: Int
    let process: Int32
    let id: UInt64
}

@Suite(.admitted)
struct WorkerLocalTests {
    @Test("Each worker makes one and keeps it", arguments: TestBackend.allCases)
    func onceForEachWorker(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let sights = try await pool.map(0..<300, chunkSize: 1) { number in
                if number % 10 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                guard let worker = Worker.current else { throw NoLuck() }
                return Sight(worker: worker.index, process: worker.processID, id: try Locals.first.value.id)
            }
            let ids = Dictionary(grouping: Set(sights), by: \.worker)
            #expect(ids.values.allSatisfy { $0.count == 1 }, "\(ids)")
            #expect(Set(sights.map(\.id)).count == ids.count)
            let outside = try Locals.first.value.id
            #expect(try Locals.first.value.id == outside)
            #expect(!sights.contains { $0.id == outside })
        }
    }

    @Test("A worker that replaces another makes its own")
    func replacement() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let first = try await pool.run { try Locals.first.value.id }
            #expect(try await pool.run { try Locals.first.value.id } == first)
            await #expect(throws: PoolError.self) { try await pool.run { () -> Int in fatalError("on purpose") } }
            #expect(try await pool.run { try Locals.first.value.id } != first)
        }
    }

    @Test("They go when their worker ends, the last first", arguments: TestBackend.allCases)
    func tornDown(_ backend: TestBackend) async throws {
        let notebook = try Notebook()
        defer { notebook.remove() }
        try await withLimit {
            let pool = try backend.pool(workers: 1)
            try await pool.run(notebook) { notebook in
                for (name, kept) in [("first", try Locals.first.value), ("second", try Locals.second.value)] {
                    kept.name = name
                    kept.notebook = notebook
                }
            }
            // With its worker, not with its item.
            #expect(try await pool.run { try Locals.second.value.name } == "second")
            #expect(notebook.lines == [])
            await pool.shutDown()
            #expect(notebook.lines == ["second", "first"])
        }
    }

    @Test("Those of a recycled worker go with it", arguments: TestBackend.allCases)
    func recycled(_ backend: TestBackend) async throws {
        let notebook = try Notebook()
        defer { notebook.remove() }
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.recycling.items = 2
            let pool = try Pool(backend.backend, workers: 1, configuration: configuration)
            let ids = try await pool.map(Array(repeating: notebook, count: 6), chunkSize: 1) { notebook in
                let kept = try Locals.first.value
                kept.name = "gone"
                kept.notebook = notebook
                return kept.id
            }
            #expect(ids[0] == ids[1] && ids[2] == ids[3] && ids[4] == ids[5])
            #expect(Set(ids).count == 3)
            await pool.shutDown()
            #expect(notebook.lines == ["gone", "gone", "gone"])
        }
    }

    @Test("A thread that is given up keeps them until its item returns")
    func givenUp() async throws {
        let notebook = try Notebook()
        defer { notebook.remove() }
        try await withLimit {
            let pool = try TestBackend.threads.pool(workers: 1)
            let meeting = try Rendezvous()
            let ticket = meeting.ticket
            let future = pool.submit {
                let kept = try Locals.first.value
                kept.name = "gone"
                kept.notebook = notebook
                ticket.arrive()
                ticket.wait()
                notebook.write(try Locals.first.value.name)
            }
            await meeting.expectArrivals(1)
            await pool.terminate()
            await #expect(throws: PoolError.self) { try await future.value }
            #expect(notebook.lines == [])
            meeting.letThrough()
            await expectSoon("the value goes") { notebook.lines.count == 2 }
            #expect(notebook.lines == ["gone", "gone"])
        }
    }

    @Test("One that cannot be made is tried again by who asks next", arguments: TestBackend.allCases)
    func failing(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool in
            await #expect(throws: NoLuck.self) { try await pool.run { try Locals.lucky.value } }
            await #expect(throws: NoLuck.self) { try await pool.run { try Locals.lucky.value } }
            let value = try await pool.run { try Locals.lucky.value }
            #expect(try await pool.run { try Locals.lucky.value } == value)
        }
    }

    @Test("One that asks for itself is told", arguments: TestBackend.allCases)
    func recursive(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool in
            let error = await #expect(throws: PoolError.self) { try await pool.run { try Locals.snake.value } }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("Threads that ask together get the same")
    func concurrent() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let ids = try await pool.run { () -> [UInt64] in
                let ids = Mutex<[UInt64]>([])
                DispatchQueue.concurrentPerform(iterations: 8) { _ in
                    guard let id = try? Locals.slow.value else { return }
                    ids.withLock { $0.append(id) }
                }
                return ids.withLock { $0 }
            }
            #expect(ids.count == 8 && Set(ids).count == 1)
        }
    }

    @Test("A closure that captures one is refused on processes, with what to do")
    func captured() async throws {
        let local = WorkerLocal { 5 }
        let (pair, number) = ([local], 1)
        try await TestBackend.threads.withPool { pool in
            let value = try await pool.run { try local.value }
            #expect(value == 5)
        }
        try await TestBackend.processes.withPool { pool in
            await expectRefusal("WorkerLocal", "static let") { _ = try await pool.run { try local.value } }
            await expectRefusal("WorkerLocal", "static let") { _ = try await pool.run { try local.value + number } }
            await expectRefusal("WorkerLocal") { _ = try await pool.run { try pair[0].value + number } }
        }
    }
}
