import Dispatch
import MultiprocessingSystem
import Synchronization
import Testing

struct AlarmClockTests {
    /// What rang, in order.
    private final class Bell: Sendable {
        private let rung = Mutex<[Int]>([])
        private let semaphore = DispatchSemaphore(value: 0)

        func ring(_ number: Int) {
            rung.withLock { $0.append(number) }
            semaphore.signal()
        }

        func wait(for count: Int) -> [Int] {
            for _ in 0..<count { #expect(semaphore.wait(timeout: .now() + 30) == .success) }
            return rung.withLock { $0 }
        }
    }

    @Test func `Alarms ring in the order of their times, whatever the order in which they are set`() {
        let clock = AlarmClock()
        let bell = Bell()
        let now = MonotonicTime.now()
        for (number, delay) in [(2, 200), (0, 20), (1, 100)] {
            #expect(clock.call(at: now.advanced(by: .milliseconds(delay))) { bell.ring(number) } != nil)
        }
        #expect(bell.wait(for: 3) == [0, 1, 2])
        #expect(MonotonicTime.now() >= now.advanced(by: .milliseconds(200)))
    }

    @Test func `An alarm for a time that is over rings at once, beside one that never does`() {
        let clock = AlarmClock()
        let bell = Bell()
        #expect(clock.call(at: MonotonicTime(nanoseconds: .max)) { bell.ring(9) } != nil)
        #expect(clock.call(at: MonotonicTime(nanoseconds: 0)) { bell.ring(1) } != nil)
        #expect(bell.wait(for: 1) == [1])
    }

    @Test func `An alarm may set another`() {
        let clock = AlarmClock()
        let bell = Bell()
        #expect(
            clock.call(at: .now()) {
                bell.ring(0)
                _ = clock.call(at: .now()) { bell.ring(1) }
            } != nil)
        #expect(bell.wait(for: 2) == [0, 1])
    }

    @Test func `Alarms of many threads all ring`() {
        let clock = AlarmClock()
        let bell = Bell()
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for number in 0..<50 {
                let time = MonotonicTime.now().advanced(by: .microseconds(number * 37 % 900))
                _ = clock.call(at: time) { bell.ring(thread * 50 + number) }
            }
        }
        #expect(bell.wait(for: 400).sorted() == Array(0..<400))
    }
}
