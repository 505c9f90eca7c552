internal import CMultiprocessing
internal import Glibc

/// Where the main thread of a process without a run loop waits, serving Dispatch's main queue.
package final class MainThreadPark: Sendable {
    private let event: FileDescriptor

    package init() throws(SystemError) {
        event = FileDescriptor(adopting: try systemCall("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    /// Ends the current wait, or else the next one; from any thread, does not block.
    package func wake() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is at its limit, which wakes the waiter as well.
        _ = write(event.number.rawValue, &one, MemoryLayout.size(ofValue: one))
    }

    /// Blocks until `number` can be read, or, without one, until ``wake()`` is called.
    ///
    /// Meanwhile it runs what is queued on Dispatch's main queue, so it is called on the main thread.
    package func wait(for number: DescriptorNumber?) {
        let queue = mp_main_queue_handle()
        let target = number ?? event.number
        while true {
            // poll ignores the second entry when there is no main queue and its descriptor is negative.
            var entries = (
                pollfd(fd: target.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: queue, events: Int16(POLLIN), revents: 0)
            )
            let count = withUnsafeMutableBytes(of: &entries) { bytes in
                poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, -1)
            }
            // A signal: the wait begins anew.
            if count < 0 { continue }
            if entries.1.revents != 0 {
                clear(queue)
                mp_drain_main_queue()
            }
            guard entries.0.revents != 0 else { continue }
            if number == nil { clear(target.rawValue) }
            return
        }
    }

    private func clear(_ descriptor: Int32) {
        var counter: UInt64 = 0
        _ = read(descriptor, &counter, MemoryLayout.size(ofValue: counter))
    }
}
