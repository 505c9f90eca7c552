import MultiprocessingSystem
import Synchronization
import Testing

@Suite struct EventLoopTimerTests {
    @Test func timersFireInOrderAndNotEarly() throws {
        let loop = try EventLoop()
        let fired = Mutex<[Int]>([])
        let early = Counter()
        let count = Counter()
        for delay in [30, 10, 20, 0, 5].shuffled() {
            let deadline = MonotonicTime.now().advanced(by: .milliseconds(delay))
            loop.schedule(at: deadline) {
                early.add { MonotonicTime.now() < deadline }
                fired.withLock { $0.append(delay) }
                count.add()
            }
        }
        try count.wait(for: 5)
        #expect(fired.withLock { $0 } == [0, 5, 10, 20, 30])
        #expect(early.value == 0)
        loop.shutDown()
    }

    @Test func canceledTimerDoesNotFire() throws {
        let loop = try EventLoop()
        let fired = Counter()
        let done = Counter()
        loop.execute {
            let deadline = MonotonicTime.now().advanced(by: .milliseconds(1))
            let timers = Mutex<[EventLoop.Timer]>([])
            // The first of two that are due together cancels the other.
            let shared = Shared(timers)
            let first = loop.schedule(at: deadline) {
                fired.add()
                shared.value.withLock { $0.last }?.cancel()
            }
            let second = loop.schedule(at: deadline) { fired.add() }
            shared.value.withLock { $0 = [first, second] }
            loop.schedule(at: deadline) { done.add() }
        }
        try done.wait(for: 1)
        #expect(fired.value == 1)
        loop.shutDown()
    }

    @Test func earlierTimerFromAnotherThreadShortensTheWait() throws {
        let loop = try EventLoop()
        let fired = Counter()
        loop.schedule(after: .seconds(3600)) { fired.add(100) }
        loop.schedule(after: .milliseconds(1)) { fired.add() }
        try fired.wait(for: 1)
        #expect(fired.value == 1)
        loop.shutDown()
        #expect(fired.value == 1)
    }

    @Test func thousandsOfTimers() throws {
        let loop = try EventLoop()
        let fired = Counter()
        let count = 10_000
        for index in 0..<count {
            let timer = loop.schedule(after: .microseconds((index * 7919) % 20_000)) { fired.add() }
            if index % 2 == 0 {
                // May have fired, which is no error.
                timer.cancel()
            }
        }
        try fired.wait(for: count / 2)
        loop.shutDown()
        #expect(fired.value >= count / 2)
    }

    @Test func endlessDelayIsNoOverflow() throws {
        let loop = try EventLoop()
        let fired = Counter()
        loop.schedule(after: .seconds(Int64.max)) { fired.add() }
        loop.schedule(after: .seconds(-5)) { fired.add() }
        try fired.wait(for: 1)
        loop.shutDown()
        #expect(fired.value == 1)
    }
}

private final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}
