internal import CMultiprocessing
internal import Glibc
internal import Synchronization

extension EventLoop {
    /// What a loop's thread, its owner and its registrations share.
    ///
    /// Apart from ``EventLoop``, so that the thread does not keep alive the object whose
    /// loss stops it.
    final class Core: Sendable {
        private let state: Mutex<State>

        // Zero before the thread has started and after its last handler: another thread may
        // get the same identifier then.
        private let threadID = Atomic<UInt>(0)

        init(_ poller: consuming Poller) {
            state = Mutex(State(poller: poller))
        }

        var isCurrent: Bool {
            threadID.load(ordering: .relaxed) == pthread_self()
        }

        func start(name: String) throws(SystemError) {
            var thread: NativeThread? = try NativeThread(name: name) { self.run() }
            state.withLock { $0.thread = thread.take() }
        }

        func stop(wait: Bool) {
            let thread = state.withLock { $0.stop() }
            if wait, !isCurrent, let thread {
                thread.join()
            }
        }

        // MARK: Requests

        func register(
            _ number: DescriptorNumber,
            _ interest: Interest,
            _ handler: @escaping @Sendable (Interest) -> Void
        ) throws(SystemError) -> UInt64 {
            try state.withLock { state throws(SystemError) in
                try state.register(number, interest, handler)
            }
        }

        func setInterest(_ interest: Interest, token: UInt64) throws(SystemError) {
            try state.withLock { state throws(SystemError) in
                try state.setInterest(interest, token: token)
            }
        }

        func deregister(_ token: UInt64) {
            // Bound, so that the handler and what it captures are released outside the lock.
            let entry = state.withLock { $0.deregister(token) }
            _ = entry
        }

        func execute(_ body: @escaping @Sendable () -> Void) -> Bool {
            let isCurrent = isCurrent
            return state.withLock { $0.enqueue(body, isCurrent: isCurrent) }
        }

        func schedule(at deadline: MonotonicTime, _ body: @escaping @Sendable () -> Void) -> UInt64 {
            let isCurrent = isCurrent
            return state.withLock { $0.schedule(body, at: deadline, isCurrent: isCurrent) }
        }

        func cancelTimer(_ id: UInt64) {
            // As in `deregister`.
            let body = state.withLock { $0.timers.remove(id) }
            _ = body
        }

        // MARK: The loop's thread

        private func run() {
            guard let waiter = state.withLock({ $0.waiter }) else {
                preconditionFailure("the poller is given up only by this thread")
            }
            threadID.store(pthread_self(), ordering: .relaxed)
            withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 256) { events in
                var wasWoken = false
                while true {
                    let bodies = state.withLock { $0.takeQueue(wasWoken: wasWoken) }
                    for body in bodies {
                        body()
                    }
                    runDueTimers()
                    guard let timeout = state.withLock({ $0.timeout(now: .now()) }) else {
                        break
                    }
                    let count = waiter.wait(into: events, timeout: timeout)
                    wasWoken = handle(events[..<count], waiter)
                }
            }
            threadID.store(0, ordering: .relaxed)
            // Bound, so that handlers, bodies and descriptors are released outside the lock.
            let remains = state.withLock { $0.dissolve() }
            _ = consume remains
        }

        private func runDueTimers() {
            let now = MonotonicTime.now()
            // One at a time, because each may cancel the next.
            while let body = state.withLock({ $0.timers.popDue(at: now) }) {
                body()
            }
        }

        /// Calls the handlers of a batch; returns whether the eventfd was in it.
        private func handle(
            _ events: Slice<UnsafeMutableBufferPointer<epoll_event>>,
            _ waiter: Poller.Waiter
        ) -> Bool {
            var wasWoken = false
            for event in events {
                let token = event.data.u64
                if token == Poller.wakeUpToken {
                    waiter.clearWakeUp()
                    wasWoken = true
                    continue
                }
                // Looked up for each event and not once for the batch: a handler that ran
                // before may have ended this registration or changed its interest.
                guard let entry = state.withLock({ $0.entries[token] }) else {
                    continue
                }
                let ready = Interest(epollEvents: event.events).intersection(entry.interest)
                if !ready.isEmpty {
                    entry.handler(ready)
                }
            }
            return wasWoken
        }
    }
}
