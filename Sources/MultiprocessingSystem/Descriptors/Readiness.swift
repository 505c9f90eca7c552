internal import CMultiprocessing
internal import Glibc

/// Blocking until a descriptor can be read or written.
package enum Readiness {
    /// Blocks the calling thread until one of the descriptors is ready, or has failed, or the time is up.
    ///
    /// - Parameters:
    ///   - numbers: Those that are waited for; they stay open meanwhile.
    ///   - alarm: Another, whose being readable ends the wait too.
    ///   - deadline: When to give up; `nil` for never.
    /// - Returns: The places of those that are ready; none after the time, and after a signal or the alarm.
    package static func wait(
        for interest: Interest,
        of numbers: [DescriptorNumber],
        orAlarm alarm: DescriptorNumber? = nil,
        until deadline: MonotonicTime?
    ) throws(SystemError) -> [Int] {
        let events = Int16(interest.contains(.write) ? POLLOUT : 0) | Int16(interest.contains(.read) ? POLLIN : 0)
        var entries = numbers.map { pollfd(fd: $0.rawValue, events: events, revents: 0) }
        if let alarm { entries.append(pollfd(fd: alarm.rawValue, events: Int16(POLLIN), revents: 0)) }
        let count = poll(&entries, until: deadline)
        if count < 0 {
            let error = Errno.current
            guard error == .interrupted else { throw SystemError(error, "poll") }
            return []
        }
        return numbers.indices.filter { entries[$0].revents != 0 }
    }

    private static func poll(_ entries: inout [pollfd], until deadline: MonotonicTime?) -> Int32 {
        guard let deadline else { return mp_poll(&entries, entries.count, -1) }
        let now = MonotonicTime.now()
        return mp_poll(&entries, entries.count, deadline > now ? Int64(deadline.nanoseconds - now.nanoseconds) : 0)
    }
}

/// Something that is readable once it has been raised, for ever.
package struct EventFlag: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    package init() throws(SystemError) {
        descriptor = FileDescriptor(
            adopting: try systemCall("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    package var number: DescriptorNumber { descriptor.number }

    package borrowing func raise() {
        var one: UInt64 = 1
        // EAGAIN means that it was raised often.
        _ = write(descriptor.number.rawValue, &one, MemoryLayout.size(ofValue: one))
    }
}
