import Dispatch
import Glibc
import Synchronization

/// Passes on what workers write to their standard error to that of this process.
///
/// The write can block, on a pipe that nobody reads, so it has a queue of its own; a limit on
/// what waits there makes the workers wait instead of filling memory.
final class StandardErrorRelay: Sendable {
    static let shared = StandardErrorRelay()

    private static let limit = 256 << 10

    private let queue = DispatchQueue(label: "Multiprocessing.standard-error")
    private let waiting = Mutex(0)

    /// Queues bytes to be written.
    ///
    /// - Parameter onRoom: Called on the relay's queue when these bytes are written, if there was no room for more.
    /// - Returns: Whether more may come before `onRoom` is called.
    func write(_ bytes: [UInt8], onRoom: @escaping @Sendable () -> Void) -> Bool {
        let size = waiting.withLock { waiting in
            waiting += bytes.count
            return waiting
        }
        queue.async {
            Self.writeAll(bytes)
            self.waiting.withLock { $0 -= bytes.count }
            if size > Self.limit { onRoom() }
        }
        return size <= Self.limit
    }

    /// Writes all of it; what cannot be written, because nobody reads any more, is lost.
    private static func writeAll(_ bytes: [UInt8]) {
        withoutBrokenPipeSignal {
            bytes.withUnsafeBytes { buffer in
                var rest = buffer[...]
                while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                    let count = Glibc.write(STDERR_FILENO, base, rest.count)
                    if count > 0 {
                        rest = rest.dropFirst(count)
                    } else if errno == EAGAIN {
                        var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
                        poll(&entry, 1, -1)
                    } else if errno != EINTR {
                        return
                    }
                }
            }
        }
    }

    /// Runs `body` so that a write to a pipe without a reader fails, instead of ending the program
    /// for what one of its workers wrote.
    private static func withoutBrokenPipeSignal(_ body: () -> Void) {
        var pipe = sigset_t()
        var previous = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &previous)
        body()
        // The signal is this thread's own, and would come as soon as it is let through.
        if sigismember(&previous, SIGPIPE) == 0 {
            var none = timespec()
            while sigtimedwait(&pipe, nil, &none) == SIGPIPE {}
        }
        pthread_sigmask(SIG_SETMASK, &previous, nil)
    }
}
