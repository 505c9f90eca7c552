internal import Synchronization

/// Where the tasks of this process wait that suspend for something in shared memory.
///
/// A thread for every 126 words looks for all of them, and sleeps without end when nobody waits. What a task waits for
/// is taken for it, in the name of the process, before it is resumed.
final class WaitRoom: Sendable {
    static let shared = WaitRoom()

    private let state = Mutex(WaitList())
    private let origin = ForkMark()

    /// Names a wait that is about to begin, so that it can be cancelled from then on.
    func announce() throws(SystemError) -> UInt64 {
        // The threads that look are not there in a process that was forked off.
        guard !origin.isElsewhere else {
            throw SystemError(.notSupported, "suspending in a process that was forked off without a new image")
        }
        return state.withLock { $0.announce() }
    }

    /// Whether nobody waits for the word here, in a process that is not forked off.
    func isFree(_ word: FutexWord) -> Bool { !origin.isElsewhere && state.withLock { $0.isFree(word) } }

    /// Has a waiter looked for until its `look` or its deadline ends the wait.
    func enter(_ waiter: WaitLine.Waiter, on word: FutexWord, exclusively: Bool) {
        switch state.withLock({ $0.enter(waiter, on: word, exclusively: exclusively) }) {
        case .wait: break
        case .kick(let bench): bench.kick()
        case .start(let bench, let index): start(bench, index, for: waiter)
        case .end: waiter.end(.cancelled)
        }
    }

    /// Ends the wait if it goes on.
    func cancel(_ id: UInt64) {
        guard let (waiter, word) = state.withLock({ $0.cancel(id) }) else { return }
        // It may be the one that was woken.
        word?.wake(1)
        waiter.end(.cancelled)
    }

    /// How many tasks wait, and how many threads look for them.
    var counts: (waiters: Int, threads: Int) { state.withLock { $0.counts } }

    private func start(_ bench: WaitBench, _ index: Int, for waiter: WaitLine.Waiter) {
        do throws(SystemError) {
            let page = try LifePage.current
            _ = try NativeThread(name: "mp-waits", stackSize: 512 << 10) { self.look(bench, index, page) }
        } catch {
            for waiter in state.withLock({ $0.abandon(index) }) { waiter.end(.failed(error)) }
        }
    }

    private func look(_ bench: WaitBench, _ index: Int, _ page: LifePage) -> Never {
        var slices = WaitSlices()
        var sleep = FutexSleep()
        var sliceEnd: UInt64 = 0
        var seen: UInt32?
        while true {
            let kicks = bench.word.load()
            let deaths = page.deaths.load()
            let now = MonotonicTime.now().nanoseconds
            let isUnprompted = now >= sliceEnd
            sleep.removeAll()
            sleep.append(bench.word, while: kicks)
            sleep.append(page.deaths, while: deaths)
            let found = state.withLock {
                $0.look(index, WaitLine.Moment(now: now, deaths: deaths, isUnprompted: isUnprompted), &sleep)
            }
            guard let found else {
                // Nobody waits: deaths too are nothing to those who are not there.
                sleep.removeAll()
                sleep.append(bench.word, while: kicks)
                sliceEnd = 0
                _ = sleep.sleep(until: nil)
                continue
            }
            for end in found.ends { end() }
            if isUnprompted || seen != deaths { sliceEnd = now + slices.next(deaths: deaths) }
            seen = deaths
            _ = sleep.sleep(until: min(sliceEnd, found.until))
        }
    }
}

/// One thread that looks, as the others see it.
final class WaitBench: Sendable {
    // Safe: lives as long as this object, and every access is atomic.
    private nonisolated(unsafe) let memory = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)

    let word: FutexWord

    init() {
        memory.initialize(to: 0)
        word = FutexWord(memory)
    }

    deinit { memory.deallocate() }

    /// Has the thread look again.
    func kick() {
        word.add(1)
        word.wakeAll()
    }
}
