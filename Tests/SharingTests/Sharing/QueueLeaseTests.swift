import Glibc
import Multiprocessing
import TestSupport
import Testing

@Suite("Items that are lent, and handles in items", .admitted)
struct QueueLeaseTests {
    @Test("A lease that is completed is over", arguments: TestBackend.allCases)
    func completed(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<String>()
        try await queue.send(contentsOf: ["a", "b"])
        try await backend.withPool(workers: 1) { pool in
            let value = try await pool.run {
                let lease = try await queue.lease()
                try lease.complete()
                return "\(lease.value) \(lease.attempt) \(lease.isRedelivered)"
            }
            #expect(value == "a 1 false")
        }
        let lease = try await queue.lease(timeout: .seconds(60))
        #expect(lease.value == "b" && queue.isEmpty)
        await expectRefusalAwaiting(.timedOut) { try await queue.join(timeout: .milliseconds(20)) }
        try lease.complete()
        expectRefusal(.notHeld) { try lease.complete() }
        try await queue.join(timeout: .seconds(100))
        await expectRefusalAwaiting(.timedOut) { try await queue.lease(timeout: .milliseconds(10)) }
    }

    @Test("What is not completed is delivered again, marked, to who waits")
    func redelivered() async throws {
        let queue = try SharedQueue<[Int]>()
        try await queue.send([7, 8])
        try await TestBackend.processes.withPool(workers: 1) { pool in
            for attempt in 1...2 {
                let future = pool.submit {
                    let lease = try await queue.lease()
                    guard lease.value == [7, 8], lease.attempt == attempt else { return }
                    kill(getpid(), SIGKILL)
                }
                await #expect(throws: PoolError.self) { try await future.value }
            }
            let last = try await queue.lease(timeout: .seconds(100))
            #expect(last.value == [7, 8] && last.attempt == 3 && last.isRedelivered)
            try last.complete()
            try await queue.join(timeout: .seconds(100))
        }
    }

    @Test("What has been lent three times is given up; one that is given back counts as before")
    func givenUp() async throws {
        let queue = try SharedQueue<Int>()
        try await queue.send(5)
        for _ in 0..<5 { #expect(try await queue.lease(timeout: .seconds(10)).attempt == 1) }
        try await TestBackend.processes.withPool(workers: 1) { pool in
            for _ in 0..<3 {
                let future = pool.submit {
                    _ = try await queue.lease(timeout: .seconds(100)).value
                    let lease = try await queue.lease(timeout: .seconds(100))
                    kill(getpid(), SIGKILL)
                    try lease.complete()
                }
                await #expect(throws: PoolError.self) { try await future.value }
            }
        }
        await expectRefusalAwaiting(.timedOut) { try await queue.lease(timeout: .milliseconds(50)) }
        try await queue.join(timeout: .seconds(100))
    }

    @Test("Who receives gets what the dead had lent, ahead of the rest")
    func received() async throws {
        let queue = try SharedQueue<Int>()
        try await queue.send(contentsOf: [1, 2])
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let future = pool.submit {
                let lease = try await queue.lease()
                kill(getpid(), SIGKILL)
                try lease.complete()
            }
            await #expect(throws: PoolError.self) { try await future.value }
        }
        #expect(try await queue.receive(timeout: .seconds(100)) == 1)
        #expect(try await queue.receive() == 2)
    }

    @Test("join does not wait for the dead")
    func joining() async throws {
        let queue = try SharedQueue<Int>()
        try await queue.send(1)
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            let future = pool.submit {
                _ = try await queue.receive()
                ticket.arrive()
                ticket.wait()
                kill(getpid(), SIGKILL)
            }
            await rendezvous.expectArrivals(1)
            await expectRefusalAwaiting(.timedOut) { try await queue.join(timeout: .milliseconds(30)) }
            let joining = Task { try await queue.join(timeout: .seconds(200)) }
            rendezvous.letThrough()
            await #expect(throws: PoolError.self) { try await future.value }
            try await joining.value
        }
    }

    private struct Letter: Codable, Sendable {
        let answer: SharedQueue<Int>
        let lock: SharedLock
        let number: Int
    }

    @Test("Handles travel inside of items", arguments: TestBackend.allCases)
    func handles(_ backend: TestBackend) async throws {
        let letters = try SharedQueue<Letter>()
        let lock = try SharedLock()
        try await backend.withPool(workers: 1) { pool in
            let worker = pool.submit {
                for try await letter in letters {
                    try await letter.lock.withLock { try await letter.answer.send(letter.number * 2) }
                }
            }
            for number in 0..<20 {
                let answer = try SharedQueue<Int>(capacity: 1)
                try await letters.send(Letter(answer: answer, lock: lock, number: number))
                #expect(try await answer.receive(timeout: .seconds(100)) == number * 2)
            }
            letters.close()
            try await worker.value
            #expect(!lock.isLocked)
        }
    }

    @Test("Handles in items outlive who sent them, and many are in a batch")
    func orphanedHandles() async throws {
        let queues = try SharedQueue<SharedQueue<Int>>()
        try await TestBackend.processes.withPool(workers: 1) { pool in
            try await pool.run {
                var made: [SharedQueue<Int>] = []
                for number in 0..<5 {
                    let queue = try SharedQueue<Int>()
                    try await queue.send(number)
                    made.append(queue)
                }
                try await queues.send(contentsOf: made)
            }
        }
        #expect(queues.count == 5)
        await expectRefusalAwaiting(.notPortable) { try await queues.lease() }
        for number in 0..<5 { #expect(try await queues.receive().receive() == number) }
        #expect(queues.isEmpty)
    }

    @Test("More items with handles than the system keeps at a time wait for one another")
    func manyHandles() async throws {
        let queues = try SharedQueue<SharedQueue<Int>>()
        let one = try SharedQueue<Int>()
        try await withLimit {
            async let sending: Void = { for _ in 0..<2_000 { try await queues.send(one) } }()
            for _ in 0..<2_000 { #expect(try await queues.receive() == one) }
            try await sending
        }
        #expect(queues.isEmpty)
    }
}
