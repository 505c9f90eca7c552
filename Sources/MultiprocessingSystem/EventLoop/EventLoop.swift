internal import CMultiprocessing

/// One thread that waits for many descriptors and timers and calls their handlers.
///
/// Handlers run one at a time on the loop's thread and must not block. Every method may be
/// called from any thread, handlers included. Losing the last reference stops the loop
/// without waiting for it.
package final class EventLoop: Sendable {
    private let core: Core

    /// Starts the loop's thread.
    ///
    /// - Parameter name: The thread's name; the first 15 bytes count.
    package init(name: String = "mp-loop") throws(SystemError) {
        core = Core(try Poller.make())
        try core.start(name: name)
    }

    deinit {
        core.stop(wait: false)
    }

    /// Whether the caller runs on this loop's thread.
    package var isCurrent: Bool { core.isCurrent }

    /// Calls `handler` on the loop for as long as a descriptor is ready for `interest`.
    ///
    /// Readiness is a level: the handler is called again until it has read or written, or
    /// has changed the interest. A peer that is gone counts as ready.
    ///
    /// - Parameters:
    ///   - number: Has to stay open until the registration has ended; a descriptor can be
    ///     registered once at a time.
    ///   - handler: Gets what the descriptor is ready for, within `interest`.
    package func register(
        _ number: DescriptorNumber,
        _ interest: Interest,
        _ handler: @escaping @Sendable (Interest) -> Void
    ) throws(SystemError) -> Registration {
        Registration(core: core, token: try core.register(number, interest, handler))
    }

    /// Runs `body` on the loop, after what was passed before it.
    ///
    /// - Returns: False, and `body` never runs, once the loop is being shut down. A body
    ///   that was accepted always runs.
    @discardableResult
    package func execute(_ body: @escaping @Sendable () -> Void) -> Bool {
        core.execute(body)
    }

    /// Runs `body` on the loop once, no earlier than after `delay`; never if the loop is shut down first.
    @discardableResult
    package func schedule(after delay: Duration, _ body: @escaping @Sendable () -> Void) -> Timer {
        schedule(at: MonotonicTime.now().advanced(by: delay), body)
    }

    /// Runs `body` on the loop once, no earlier than at `deadline`; never if the loop is shut down first.
    @discardableResult
    package func schedule(at deadline: MonotonicTime, _ body: @escaping @Sendable () -> Void) -> Timer {
        Timer(core: core, id: core.schedule(at: deadline, body))
    }

    /// Runs what ``execute(_:)`` accepted, ends the thread, and releases every handler and descriptor of the loop.
    ///
    /// Blocks until the thread has ended, except on the loop itself, where it returns at
    /// once and the thread ends after the current handler. The first caller waits; a call
    /// that overlaps it or follows it returns at once.
    package func shutDown() {
        core.stop(wait: true)
    }
}
