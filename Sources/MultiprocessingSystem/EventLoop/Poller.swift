internal import CMultiprocessing
internal import Glibc

/// An epoll set with an eventfd that ends a wait early.
struct Poller: ~Copyable, Sendable {
    private let epoll: FileDescriptor
    private let wakeUpEvent: FileDescriptor

    /// The token of the eventfd; registrations have others.
    static var wakeUpToken: UInt64 { 0 }

    private init(epoll: consuming FileDescriptor, wakeUpEvent: consuming FileDescriptor) {
        self.epoll = epoll
        self.wakeUpEvent = wakeUpEvent
    }

    static func make() throws(SystemError) -> Poller {
        let poller = Poller(
            epoll: FileDescriptor(adopting: try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }),
            wakeUpEvent: FileDescriptor(
                adopting: try systemCall("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) }
            )
        )
        try poller.add(poller.wakeUpEvent.number, .read, token: wakeUpToken)
        return poller
    }

    borrowing func add(_ number: DescriptorNumber, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, number, interest, token)
    }

    borrowing func modify(_ number: DescriptorNumber, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, number, interest, token)
    }

    borrowing func remove(_ number: DescriptorNumber) throws(SystemError) {
        try control(EPOLL_CTL_DEL, number, [], 0)
    }

    private borrowing func control(
        _ operation: Int32,
        _ number: DescriptorNumber,
        _ interest: Interest,
        _ token: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.epollEvents
        event.data.u64 = token
        let raw = epoll.number.rawValue
        try systemCall("epoll_ctl") { epoll_ctl(raw, operation, number.rawValue, &event) }
    }

    /// Ends the current wait, or else the next one; does not block.
    borrowing func wakeUp() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is at its limit, which wakes the waiter as well.
        _ = write(wakeUpEvent.number.rawValue, &one, MemoryLayout.size(ofValue: one))
    }

    /// The waiting side, for the one thread that waits; used only while the poller lives.
    var waiter: Waiter {
        Waiter(epoll: epoll.number, wakeUpEvent: wakeUpEvent.number)
    }

    /// The waiting side of a poller.
    struct Waiter {
        fileprivate let epoll: DescriptorNumber
        fileprivate let wakeUpEvent: DescriptorNumber

        /// Waits for events and returns how many were stored; none after `timeout` milliseconds (-1: no limit).
        func wait(into events: UnsafeMutableBufferPointer<epoll_event>, timeout: Int32) -> Int {
            let count = epoll_wait(epoll.rawValue, events.baseAddress, Int32(events.count), timeout)
            if count < 0 {
                let error = Errno.current
                // Not repeated after a signal: the caller computes the timeout anew.
                precondition(error == .interrupted, "epoll_wait on a valid set: \(error)")
                return 0
            }
            return Int(count)
        }

        func clearWakeUp() {
            var counter: UInt64 = 0
            _ = read(wakeUpEvent.rawValue, &counter, MemoryLayout.size(ofValue: counter))
        }
    }
}
