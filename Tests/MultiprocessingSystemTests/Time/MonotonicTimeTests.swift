import MultiprocessingSystem
import Testing

@Suite struct MonotonicTimeTests {
    @Test func doesNotGoBack() {
        let times = (0..<1000).map { _ in MonotonicTime.now() }
        #expect(times == times.sorted())
    }

    @Test func durationsSaturate() {
        let time = MonotonicTime(nanoseconds: 100)
        #expect(time.advanced(by: .nanoseconds(5)).nanoseconds == 105)
        #expect(time.advanced(by: .seconds(-5)) == time)
        #expect(time.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1).wholeNanoseconds == 1)
        #expect(Duration.milliseconds(1500).wholeNanoseconds == 1_500_000_000)
        #expect(MonotonicTime(nanoseconds: 150).duration(since: time) == .nanoseconds(50))
        #expect(time.duration(since: MonotonicTime(nanoseconds: 150)) == .zero)
    }
}
