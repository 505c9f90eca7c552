import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// What Python's tests of queues ask for, under their names.
@Suite("SharedQueue", .admitted)
struct SharedQueueTests {
    struct Parcel: Codable, Sendable, Hashable {
        var name: String
        var weight: Double
        var tags: [String]
        var next: [Int]?
    }

    // MARK: One process

    /// `test_put`: a bounded queue of six; every form of sending; full for those that do not wait.
    @Test(arguments: TestBackend.allCases) func test_put(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<Int>(capacity: 6)
        #expect(queue.isEmpty && queue.count == 0)
        try await queue.send(1)
        try await queue.send(2, timeout: .seconds(60))
        #expect(try queue.trySend(3))
        try await queue.send(contentsOf: [4, 5])
        #expect(try queue.trySend(6))
        #expect(queue.count == 6)
        #expect(try !queue.trySend(7))
        await expectRefusalAwaiting(.timedOut) { try await queue.send(7, timeout: .zero) }
        let clock = ContinuousClock()
        let start = clock.now
        await expectRefusalAwaiting(.timedOut) { try await queue.send(7, timeout: .milliseconds(120)) }
        #expect(clock.now - start >= .milliseconds(100))
        try await onBlockableThread {
            expectRefusal(.timedOut) { try queue.send(7, timeout: .milliseconds(20)) }
            expectRefusal(.timedOut) { try queue.send(contentsOf: [7, 8], timeout: .milliseconds(20)) }
        }
        try await backend.withPool(workers: 1) { pool in
            let got = try await pool.run { try await [queue.receive(), queue.receive()] + queue.receive(atMost: 10) }
            #expect(got == [1, 2, 3, 4, 5, 6])
        }
        #expect(queue.isEmpty)
    }

    /// `test_get`: in the order of sending; empty for those that do not wait.
    @Test(arguments: TestBackend.allCases) func test_get(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<Int>()
        try await backend.withPool(workers: 1) { pool in
            try await pool.run {
                for number in 1...4 { try await queue.send(number) }
            }
            #expect(try await queue.receive() == 1)
            #expect(try await queue.receive(timeout: .seconds(60)) == 2)
            #expect(try queue.tryReceive() == 3)
            #expect(try await queue.receive(atMost: 5) == [4])
            #expect(try queue.tryReceive() == nil)
            await expectRefusalAwaiting(.timedOut) { try await queue.receive(timeout: .zero) }
            await expectRefusalAwaiting(.timedOut) { try await queue.receive(timeout: .milliseconds(-5)) }
            await expectRefusalAwaiting(.timedOut) { try await queue.receive(atMost: 3, timeout: .milliseconds(20)) }
            try await onBlockableThread { expectRefusal(.timedOut) { try queue.receive(timeout: .milliseconds(20)) } }
        }
    }

    /// `test_fork`: a worker sends to a queue that its parent uses already; twenty in order.
    @Test(arguments: TestBackend.allCases) func test_fork(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<Int>()
        for number in 0..<10 { try await queue.send(number) }
        try await backend.withPool(workers: 1) { pool in
            try await pool.run { for number in 10..<20 { try await queue.send(number) } }
        }
        for number in 0..<20 { #expect(try await queue.receive() == number) }
        #expect(queue.isEmpty)
    }

    /// `test_qsize`: 0, 1, 2, 1, 0.
    @Test func test_qsize() async throws {
        let queue = try SharedQueue<String>()
        #expect(queue.count == 0)
        try await queue.send("a")
        #expect(queue.count == 1)
        try await queue.send("b")
        #expect(queue.count == 2)
        _ = try await queue.receive()
        #expect(queue.count == 1)
        _ = try await queue.receive()
        #expect(queue.count == 0)
    }

    /// `test_task_done`: `join` returns when all are done; one too many is refused.
    @Test(arguments: TestBackend.allCases) func test_task_done(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<Int>()
        try await queue.join()
        for number in 0..<10 { try await queue.send(number) }
        await expectRefusalAwaiting(.timedOut) { try await queue.join(timeout: .milliseconds(30)) }
        try await backend.withPool { pool in
            let workers = (0..<2).map { _ in
                pool.submit {
                    for try await _ in queue {
                        try await Task.sleep(for: .milliseconds(2))
                        try queue.taskDone()
                    }
                }
            }
            try await queue.join()
            #expect(queue.isEmpty)
            try await onBlockableThread { try queue.join(timeout: .seconds(100)) }
            queue.close()
            for worker in workers { try await worker.value }
            expectRefusal(.notHeld) { try queue.taskDone() }
        }
    }

    /// `test_timeout`: a limit of 0.2 s is kept.
    @Test func test_timeout() async throws {
        let queue = try SharedQueue<Int>()
        let clock = ContinuousClock()
        for isBlocking in [false, true] {
            let start = clock.now
            if isBlocking {
                try await onBlockableThread {
                    expectRefusal(.timedOut) { try queue.receive(timeout: .milliseconds(200)) }
                }
            } else {
                await expectRefusalAwaiting(.timedOut) { try await queue.receive(timeout: .milliseconds(200)) }
            }
            #expect(clock.now - start >= .milliseconds(180))
        }
    }

    private struct Stubborn: Codable, Sendable {
        var isStubborn: Bool

        func encode(to encoder: any Encoder) throws {
            if isStubborn { throw InputFailure() }
            var container = encoder.singleValueContainer()
            try container.encode(isStubborn)
        }

        init(isStubborn: Bool) { self.isStubborn = isStubborn }

        init(from decoder: any Decoder) throws { isStubborn = try decoder.singleValueContainer().decode(Bool.self) }
    }

    /// `test_queue_feeder_donot_stop_onexc`: what cannot be encoded throws where it is sent, and takes no place.
    @Test func test_queue_feeder_donot_stop_onexc() async throws {
        let queue = try SharedQueue<Stubborn>(capacity: 1)
        await #expect(throws: InputFailure.self) { try await queue.send(Stubborn(isStubborn: true)) }
        await #expect(throws: InputFailure.self) { try await queue.send(contentsOf: [Stubborn(isStubborn: true)]) }
        #expect(queue.isEmpty)
        #expect(try queue.trySend(Stubborn(isStubborn: false)))
        #expect(try await !queue.receive().isStubborn)
    }

    /// `test_closed_queue_empty_exceptions`, `test_empty_exceptions`: what is in a closed queue can be asked.
    @Test func test_closed_queue_empty_exceptions() async throws {
        let queue = try SharedQueue<Int>()
        try await queue.send(1)
        queue.close()
        #expect(!queue.isEmpty && queue.count == 1)
        #expect(try await queue.receive() == 1)
        #expect(queue.isEmpty && queue.isClosed)
    }

    /// `test_closed_queue_put_get_exceptions`, `test_shutdown_empty`: sending is refused at once, receiving when all is
    /// received; those who wait are told.
    @Test(arguments: TestBackend.allCases) func test_closed_queue_put_get_exceptions(_ backend: TestBackend)
        async throws
    {
        let queue = try SharedQueue<Int>(capacity: 1)
        try await backend.withPool { pool in
            let receiver = pool.submit { try await queue.receive() }
            try await queue.send(5)
            #expect(try await receiver.value == 5)
            let waiting = pool.submit {
                do {
                    _ = try await queue.receive()
                    return false
                } catch let error as SharedStateError {
                    return error.code == .closed
                }
            }
            let here = Task { try await queue.receive() }
            queue.close()
            #expect(try await waiting.value)
            await expectRefusalAwaiting(.closed) { try await here.value }
        }
        await expectRefusalAwaiting(.closed) { try await queue.send(1) }
        await expectRefusalAwaiting(.closed) { try await queue.send(contentsOf: [1, 2]) }
        await expectRefusalAwaiting(.closed) { try await queue.receive() }
        await expectRefusalAwaiting(.closed) { try await queue.receive(atMost: 3) }
        expectRefusal(.closed) { try queue.tryReceive() }
        expectRefusal(.closed) { try queue.trySend(1) }
        try await onBlockableThread {
            expectRefusal(.closed) { try queue.send(1) }
            expectRefusal(.closed) { try queue.receive() }
        }
    }

    /// `test_shutdown_nonempty`, `test_shutdown_immediate_with_unfinished`: receivers drain, senders who wait for room
    /// are refused, `join` returns when the rest is done.
    @Test func test_shutdown_nonempty() async throws {
        let queue = try SharedQueue<Int>(capacity: 2)
        try await queue.send(contentsOf: [1, 2])
        let sender = Task { try await queue.send(3) }
        try? await Task.sleep(for: .milliseconds(20))
        queue.close()
        await expectRefusalAwaiting(.closed) { try await sender.value }
        var received: [Int] = []
        for try await number in queue {
            received.append(number)
            try queue.taskDone()
        }
        #expect(received == [1, 2])
        try await queue.join(timeout: .seconds(100))
        expectRefusal(.notHeld) { try queue.taskDone() }
    }

    /// `TestSimpleQueue.test_empty`: seen by both sides.
    @Test(arguments: TestBackend.allCases) func test_empty(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<Bool>()
        #expect(queue.isEmpty)
        try await backend.withPool(workers: 1) { pool in
            let isFilled = try await pool.run {
                try await queue.send(true)
                return !queue.isEmpty
            }
            #expect(isFilled)
            #expect(!queue.isEmpty)
            #expect(try await queue.receive())
            #expect(queue.isEmpty)
            let isEmpty = try await pool.run { queue.isEmpty }
            #expect(isEmpty)
        }
    }

    /// `test_close`, `test_closed`: closing twice does nothing more; all processes see it.
    @Test func test_close() async throws {
        let queue = try SharedQueue<Int>()
        #expect(!queue.isClosed)
        queue.close()
        queue.close()
        #expect(queue.isClosed)
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let isClosed = try await pool.run { queue.isClosed }
            #expect(isClosed)
            let other = try SharedQueue<Int>()
            try await pool.run { other.close() }
            #expect(other.isClosed)
        }
    }

    // MARK: Values

    @Test("Values of every kind come out as they went in", arguments: TestBackend.allCases)
    func values(_ backend: TestBackend) async throws {
        let parcels = (0..<300).map {
            Parcel(
                name: "parcel \($0)", weight: Double($0) / 3, tags: Array(repeating: "é\($0)", count: $0 % 5),
                next: $0 % 2 == 0 ? nil : Array(0..<$0))
        }
        let (there, back) = (try SharedQueue<Parcel>(capacity: 50), try SharedQueue<Parcel>(capacity: 50))
        let texts = try SharedQueue<String?>()
        let numbers = try SharedQueue<[Float]>()
        let maps = try SharedQueue<[String: [Int]]>()
        try await backend.withPool(workers: 1) { pool in
            let echo = pool.submit {
                for try await parcel in there { try await back.send(parcel) }
                back.close()
                try await texts.send(contentsOf: ["a", nil, ""])
                try await numbers.send(contentsOf: [[], [1, 2.5], Array(repeating: 7, count: 100_000)])
                try await maps.send(["one": [1], "none": []])
            }
            async let sending: Void = {
                try await there.send(contentsOf: parcels)
                there.close()
            }()
            var got: [Parcel] = []
            for try await parcel in back { got.append(parcel) }
            try await sending
            try await echo.value
            #expect(got == parcels)
            #expect(try await texts.receive(atMost: 9) == ["a", nil, ""])
            #expect(try await numbers.receive(atMost: 9) == [[], [1, 2.5], Array(repeating: 7, count: 100_000)])
            #expect(try await maps.receive() == ["one": [1], "none": []])
        }
    }

    @Test("Many senders and receivers, blocking and suspending: each item once", arguments: TestBackend.allCases)
    func manyToMany(_ backend: TestBackend) async throws {
        let queue = try SharedQueue<Int>(capacity: 100)
        let results = try SharedQueue<[Int]>()
        try await backend.withPool(workers: 4) { pool in
            let blockingReceiver = pool.submit { try results.send(try receiveAll(queue)) }
            let receiver = pool.submit {
                try await withThrowingTaskGroup(of: [Int].self) { group in
                    for _ in 0..<5 {
                        group.addTask {
                            var numbers: [Int] = []
                            for try await number in queue { numbers.append(number) }
                            return numbers
                        }
                    }
                    for try await numbers in group { try await results.send(numbers) }
                }
            }
            let senders = (0..<2).map { index in
                index == 0
                    ? pool.submit { for number in 0..<2_000 { try queue.send(number) } }
                    : pool.submit {
                        try await withThrowingTaskGroup { group in
                            for part in 1..<5 {
                                group.addTask {
                                    for number in part * 2_000..<(part + 1) * 2_000 { try await queue.send(number) }
                                }
                            }
                            try await group.waitForAll()
                        }
                    }
            }
            for sender in senders { try await sender.value }
            queue.close()
            try await blockingReceiver.value
            try await receiver.value
            results.close()
            var all: [Int] = []
            for try await numbers in results {
                // Of one sender each receiver sees a rising order.
                for part in 0..<5 {
                    let own = numbers.filter { $0 / 2_000 == part }
                    #expect(own == own.sorted())
                }
                all += numbers
            }
            #expect(all.sorted() == Array(0..<10_000))
        }
    }

    @Test("Items larger than where the queue begins, and a queue that grows and gives back")
    func growth() async throws {
        let queue = try SharedQueue<[UInt8]>(byteLimit: 64 << 20)
        try await TestBackend.processes.withPool(workers: 1) { pool in
            for round in 0..<2 {
                let sizes = (0..<30).map { ($0 * 77_777 + round) % 2_000_000 } + [20_000_000, 3]
                try await pool.run {
                    for size in sizes { try await queue.send([UInt8](repeating: UInt8(size % 251), count: size)) }
                }
                #expect(queue.count == sizes.count)
                for size in sizes {
                    let bytes = try await queue.receive()
                    #expect(bytes.count == size && bytes.allSatisfy { $0 == UInt8(size % 251) })
                }
                #expect(queue.isEmpty)
            }
        }
        #expect(try queue.trySend([UInt8](repeating: 1, count: 10)))
    }

    @Test("A queue without capacity is full when its bytes are")
    func byteLimit() async throws {
        let queue = try SharedQueue<[UInt8]>(byteLimit: 1 << 20)
        let item = [UInt8](repeating: 3, count: 10_000)
        var count = 0
        while try queue.trySend(item) { count += 1 }
        #expect(count > 60 && count < 105)
        await expectRefusalAwaiting(.timedOut) { try await queue.send(item, timeout: .milliseconds(20)) }
        for _ in 0..<count { #expect(try await queue.receive() == item) }
        #expect(try queue.trySend(item))
    }

    // MARK: Waiting

    @Test("Cancelling ends a wait, and takes nothing from the others")
    func cancelling() async throws {
        let queue = try SharedQueue<Int>(capacity: 1)
        let receivers = (0..<10).map { _ in Task { try await queue.receive() } }
        for receiver in receivers.dropLast() { receiver.cancel() }
        for receiver in receivers.dropLast() {
            await #expect(throws: CancellationError.self) { try await receiver.value }
        }
        try await queue.send(4)
        #expect(try await receivers[9].value == 4)
        try await queue.send(5)
        let sender = Task { try await queue.send(6) }
        sender.cancel()
        await #expect(throws: CancellationError.self) { try await sender.value }
        #expect(try await queue.receive() == 5)
        #expect(queue.isEmpty)
    }

    @Test("More tasks wait than there are threads")
    func manyTasks() async throws {
        let queue = try SharedQueue<Int>(capacity: 3)
        let sum = try await withLimit {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 { group.addTask { try await queue.receive() } }
                for number in 0..<100 {
                    group.addTask {
                        try await queue.send(number)
                        return 0
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        #expect(sum == 4_950 && queue.isEmpty)
    }

    // MARK: Bad input

    @Test("What cannot be is refused")
    func badInput() async throws {
        for capacity in [0, -1, Int.min, 1 << 24] {
            expectRefusal(.invalidArgument) { try SharedQueue<Int>(capacity: capacity) }
        }
        for limit in [0, -5] { expectRefusal(.invalidArgument) { try SharedQueue<Int>(byteLimit: limit) } }
        let queue = try SharedQueue<[UInt8]>(byteLimit: 1 << 18)
        let large = [UInt8](repeating: 0, count: 1 << 18)
        await expectRefusalAwaiting(.invalidArgument) { try await queue.send(large) }
        await expectRefusalAwaiting(.invalidArgument) { try await queue.send(contentsOf: [large]) }
        expectRefusal(.invalidArgument) { try queue.trySend(large) }
        for count in [0, -1] {
            await expectRefusalAwaiting(.invalidArgument) { try await queue.receive(atMost: count) }
        }
        try await queue.send([UInt8](repeating: 9, count: 1 << 18 - 32))
        #expect(try await queue.receive().count == 1 << 18 - 32)
    }

    @Test("Queues are the same when they are one, in all processes")
    func identity() async throws {
        let (first, second) = (try SharedQueue<Int>(), try SharedQueue<Int>())
        #expect(first != second && Set([first, second, first]).count == 2)
        try await TestBackend.processes.withPool(workers: 1) { pool in
            #expect(try await pool.run([first, first, second]) { $0[0] == $0[1] && $0[0] != $0[2] })
            let returned = try await pool.run(first) { $0 }
            #expect(returned == first)
        }
    }
}

/// Receives with a thread of its own, until the queue is closed.
private func receiveAll(_ queue: SharedQueue<Int>) throws -> [Int] {
    var numbers: [Int] = []
    while true {
        do {
            numbers.append(try queue.receive())
        } catch let error as SharedStateError where error.code == .closed {
            return numbers
        }
    }
}
