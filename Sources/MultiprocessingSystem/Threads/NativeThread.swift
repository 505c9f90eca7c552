internal import CMultiprocessing
internal import Glibc

/// A thread of this package's own, outside Dispatch's and Swift's pools; detached when its owner goes away.
package struct NativeThread: ~Copyable, Sendable {
    private let thread: pthread_t

    /// Starts a thread.
    ///
    /// Signals sent to the process are blocked in it, so that they reach a thread of the
    /// program. Those that a faulting instruction raises are not: blocked, they would end
    /// the process before its crash reporter could speak.
    ///
    /// - Parameters:
    ///   - name: What debuggers and `top` show; the first 15 bytes count.
    ///   - stackSize: In bytes; only what is touched costs memory.
    package init(
        name: String,
        stackSize: Int = 8 << 20,
        _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var attributes = pthread_attr_t()
        try checked("pthread_attr_init") { pthread_attr_init(&attributes) }
        defer { pthread_attr_destroy(&attributes) }
        try checked("pthread_attr_setstacksize") { pthread_attr_setstacksize(&attributes, stackSize) }

        // The mask is inherited, which leaves no moment in which the new thread takes signals.
        var blocked = sigset_t()
        var previous = sigset_t()
        sigfillset(&blocked)
        for signal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT] {
            sigdelset(&blocked, signal)
        }
        try checked("pthread_sigmask") { pthread_sigmask(SIG_SETMASK, &blocked, &previous) }
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }

        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        do throws(SystemError) {
            try checked("pthread_create") {
                pthread_create(
                    &thread,
                    &attributes,
                    { argument in
                        guard let argument else {
                            preconditionFailure("started with an argument")
                        }
                        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                        mp_set_thread_name(start.name)
                        start.body()
                        return nil
                    },
                    start.toOpaque()
                )
            }
        } catch {
            start.release()
            throw error
        }
        self.thread = thread
    }

    deinit {
        pthread_detach(thread)
    }

    /// Blocks until the thread has ended; must not be called on the thread itself.
    package consuming func join() {
        // Fails only for a thread that is joined twice or by itself.
        pthread_join(thread, nil)
        discard self
    }
}

/// What a new thread needs, carried through the one pointer that it is given.
private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
