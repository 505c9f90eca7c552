extension EventLoop {
    /// A watched descriptor.
    struct Entry: Sendable {
        let number: DescriptorNumber
        var interest: Interest
        let handler: @Sendable (Interest) -> Void
    }

    /// What a loop knows, guarded by the core's lock.
    ///
    /// The system calls made here (epoll_ctl, a write to a non-blocking eventfd) never
    /// block; under the lock they keep the order of the requests, and cannot meet a
    /// descriptor that the ending thread has closed.
    struct State: ~Copyable {
        // Nil once the thread has ended.
        private var poller: Poller?

        // Nil before it has started, and once someone has undertaken to join it.
        var thread: NativeThread?

        private var isStopping = false

        private var queue: [@Sendable () -> Void] = []
        private var isWakeUpPending = false

        // Never used twice, so an event of a registration that has ended finds nothing.
        private var lastToken = Poller.wakeUpToken
        private(set) var entries: [UInt64: Entry] = [:]

        var timers = TimerQueue<@Sendable () -> Void>()

        init(poller: consuming Poller) {
            self.poller = consume poller
        }

        var waiter: Poller.Waiter? {
            mutating get { poller?.waiter }
        }

        /// Refuses what comes from now on, and hands the thread to the first caller.
        mutating func stop() -> NativeThread? {
            isStopping = true
            wakeUp()
            return thread.take()
        }

        mutating func register(
            _ number: DescriptorNumber,
            _ interest: Interest,
            _ handler: @escaping @Sendable (Interest) -> Void
        ) throws(SystemError) -> UInt64 {
            guard !isStopping else {
                throw SystemError(.canceled, "register with an event loop that was shut down")
            }
            lastToken += 1
            if !interest.isEmpty {
                try poller?.add(number, interest, token: lastToken)
            }
            entries[lastToken] = Entry(number: number, interest: interest, handler: handler)
            return lastToken
        }

        mutating func setInterest(_ interest: Interest, token: UInt64) throws(SystemError) {
            guard let entry = entries[token], entry.interest != interest else {
                return
            }
            // The kernel reports hang-ups and errors whatever the interest, so a descriptor
            // without one has to leave the set, or the loop would spin.
            switch (entry.interest.isEmpty, interest.isEmpty) {
            case (true, _): try poller?.add(entry.number, interest, token: token)
            case (_, true): try poller?.remove(entry.number)
            default: try poller?.modify(entry.number, interest, token: token)
            }
            entries[token]?.interest = interest
        }

        mutating func deregister(_ token: UInt64) -> Entry? {
            guard let entry = entries.removeValue(forKey: token) else {
                return nil
            }
            if !entry.interest.isEmpty {
                do throws(SystemError) {
                    try poller?.remove(entry.number)
                } catch {
                    assertionFailure("descriptor \(entry.number) was closed while it was registered: \(error)")
                }
            }
            return entry
        }

        /// Adds a body; returns false when the loop is stopping.
        mutating func enqueue(_ body: @escaping @Sendable () -> Void, isCurrent: Bool) -> Bool {
            guard !isStopping else {
                return false
            }
            queue.append(body)
            // The loop's own thread looks at the queue before it waits.
            if !isCurrent {
                wakeUp()
            }
            return true
        }

        mutating func schedule(
            _ body: @escaping @Sendable () -> Void,
            at deadline: MonotonicTime,
            isCurrent: Bool
        ) -> UInt64 {
            guard !isStopping else {
                // No timer has this number.
                return 0
            }
            let previous = timers.nextDeadline()
            let id = timers.insert(body, at: deadline)
            if !isCurrent, previous.map({ deadline < $0 }) ?? true {
                wakeUp()
            }
            return id
        }

        /// One write for all that comes until the loop has seen it.
        private mutating func wakeUp() {
            if !isWakeUpPending {
                isWakeUpPending = true
                poller?.wakeUp()
            }
        }

        /// Takes what waits to be run; `wasWoken` says that the eventfd has been cleared.
        mutating func takeQueue(wasWoken: Bool) -> [@Sendable () -> Void] {
            if wasWoken {
                isWakeUpPending = false
            }
            defer { queue.removeAll() }
            return queue
        }

        /// How long the loop may wait, in milliseconds rounded up; -1 without a limit, nil when it has to end.
        mutating func timeout(now: MonotonicTime) -> Int32? {
            if !queue.isEmpty {
                return 0
            }
            if isStopping {
                return nil
            }
            guard let deadline = timers.nextDeadline() else {
                return -1
            }
            guard deadline > now else {
                return 0
            }
            let milliseconds = (deadline.nanoseconds - now.nanoseconds - 1) / 1_000_000 + 1
            return Int32(clamping: milliseconds)
        }

        /// Gives up everything, for the caller to release.
        mutating func dissolve() -> Remains {
            defer {
                entries = [:]
                timers = TimerQueue()
            }
            return Remains(poller: poller.take(), entries: entries, timers: timers)
        }
    }

    /// What a loop leaves behind.
    struct Remains: ~Copyable, Sendable {
        let poller: Poller?
        let entries: [UInt64: Entry]
        let timers: TimerQueue<@Sendable () -> Void>
    }
}
