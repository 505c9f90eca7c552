internal import Dispatch
internal import Glibc
internal import Synchronization

/// Passes on what workers write to their standard error to that of this process.
///
/// The write can block, on a pipe that nobody reads, so it has a queue of its own. While a slow
/// reader takes what is there, workers are made to wait, as they would be if they wrote there
/// themselves. When nothing was taken for a while, nobody reads: what comes then is dropped and
/// counted, and neither workers nor memory depend on a reader that may never come.
///
/// What waits when the program ends is written first, if somebody reads it.
package final class StandardErrorRelay: Sendable {
    package static let shared: StandardErrorRelay = {
        let relay = StandardErrorRelay(STDERR_FILENO)
        // Refused only without memory, and then the last lines may be lost.
        _ = atexit { StandardErrorRelay.shared.drain() }
        return relay
    }()

    /// When as many bytes wait, no more is taken from workers that run.
    package static let limit = 256 << 10

    /// No more than this ever waits.
    ///
    /// What ended workers left in their pipes may fill the rest.
    package static let lastLimit = 1 << 20

    /// How much is written at a time: a reader that is slow shows between two pieces.
    private static let pieceSize = 4 << 10

    private let descriptor: Int32
    private let patience: Duration
    private let queue = DispatchQueue(label: "Multiprocessing.standard-error")
    private let state: Mutex<State>
    private let origin = ForkMark()

    private struct State {
        /// What the writer has not taken yet.
        var waiting: [UInt8] = []
        /// How much of what it has taken is not written.
        var unwrittenCount = 0
        var droppedCount = 0
        var isWriting = false
        /// Whether the program ends, and nothing more is taken.
        var isEnding = false
        /// When something was last taken by a reader, or began to wait for one.
        var lastProgress = MonotonicTime.now()

        var count: Int { waiting.count + unwrittenCount }
    }

    /// - Parameter patience: How long a reader may take nothing before it counts as absent.
    package init(_ descriptor: Int32, patience: Duration = .seconds(2)) {
        self.descriptor = descriptor
        self.patience = patience
        state = Mutex(State())
    }

    /// Whether bytes of a worker that runs are to be read now, and not when some have been written.
    package var takesMore: Bool {
        state.withLock { $0.count < Self.limit || isStalled($0) }
    }

    /// Queues bytes to be written, or drops them when too many wait already.
    package func write(_ bytes: UnsafeRawBufferPointer) {
        let mustStart = state.withLock { state in
            guard !state.isEnding else { return false }
            let room = (isStalled(state) ? Self.limit : Self.lastLimit) - state.count
            guard bytes.count <= room else {
                state.droppedCount += bytes.count
                return false
            }
            if state.count == 0 { state.lastProgress = .now() }
            state.waiting.append(contentsOf: bytes)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { queue.async { self.writeWaiting() } }
    }

    /// Blocks until all is written that waits, or a reader has taken nothing for a while; nothing is taken after it.
    package func drain() {
        // What a fork has of the queue has no thread.
        guard !origin.isElsewhere else { return }
        state.withLock { $0.isEnding = true }
        while state.withLock({ $0.count > 0 && !isStalled($0) }) { usleep(500) }
    }

    private func isStalled(_ state: borrowing State) -> Bool {
        state.count > 0 && MonotonicTime.now().duration(since: state.lastProgress) >= patience
    }

    /// Writes until nothing waits.
    private func writeWaiting() {
        while let bytes = nextBytes() {
            withoutBrokenPipeSignal { writeAll(bytes) }
        }
    }

    private func nextBytes() -> [UInt8]? {
        state.withLock { state in
            var bytes = state.waiting
            state.waiting = []
            if state.droppedCount > 0 {
                bytes += Self.note(of: state.droppedCount).utf8
                state.droppedCount = 0
            }
            state.isWriting = !bytes.isEmpty
            state.unwrittenCount = bytes.count
            return bytes.isEmpty ? nil : bytes
        }
    }

    private static func note(of count: Int) -> String {
        "Multiprocessing: \(count) bytes that workers wrote to standard error were dropped here, because nobody read it\n"
    }

    /// Writes all of it; what cannot be written, because nobody can read any more, is lost.
    private func writeAll(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = UnsafeRawBufferPointer(buffer)
            while !rest.isEmpty, let count = writePiece(rest) {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                noteProgress(unwritten: rest.count)
            }
        }
    }

    private func noteProgress(unwritten count: Int) {
        state.withLock { state in
            state.unwrittenCount = count
            state.lastProgress = .now()
        }
    }

    /// Writes some of it, and waits until that is possible; `nil` if it never will be.
    private func writePiece(_ bytes: UnsafeRawBufferPointer) -> Int? {
        while true {
            let count = Glibc.write(descriptor, bytes.baseAddress, min(bytes.count, Self.pieceSize))
            // Only a call that failed has set `errno`.
            if count >= 0 { return count > 0 ? count : nil }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            default:
                return nil
            }
        }
    }

    /// Runs `body` so that a write to a pipe without a reader fails, instead of ending the program
    /// for what one of its workers wrote.
    private func withoutBrokenPipeSignal(_ body: () -> Void) {
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
