internal import CMultiprocessing
internal import Glibc
internal import Synchronization

/// A child process: its signals, its end, and the one place that reaps it.
///
/// A process id may name another process once the child was reaped, by this object, by other code
/// in this program, or by the kernel if SIGCHLD is ignored. Signals therefore go through a pidfd, which
/// never does. So they do to the process group, whose members can outlive the child.
package final class ProcessHandle: Sendable {
    private enum State {
        case unreaped
        case reaped(ExitStatus)
    }

    /// What the processes that share something with the child are told of its end.
    private enum Obituary {
        /// The child has been given a number above this one, if it has joined a tree.
        case due(above: UInt32)
        case published
    }

    package let id: ProcessID

    // Stays open after the child was reaped: an event loop may still watch its number.
    private let pidfd: FileDescriptor
    private let state = Mutex(State.unreaped)
    private let obituary: Mutex<Obituary>

    /// Takes charge of a child that leads its own process group and that nobody has waited for.
    ///
    /// - Parameter lastNumber: The last number that a process of this tree had been given when the child was started.
    package init(_ id: ProcessID, startedAfter lastNumber: UInt32 = 0) throws(SystemError) {
        self.id = id
        self.obituary = Mutex(.due(above: lastNumber))
        self.pidfd = FileDescriptor(adopting: try systemCall("pidfd_open") { mp_pidfd_open(id.rawValue) })
    }

    deinit {
        // A child that has ended is not left behind as a zombie. One that still runs goes
        // on, and stays one until this process ends: its owner kills and reaps it first.
        _ = try? reap()
    }

    /// Becomes readable when the process has ended; open for as long as this object lives.
    package var exitDescriptor: DescriptorNumber { pidfd.number }

    /// How the process ended, if it has been reaped.
    package var exitStatus: ExitStatus? {
        state.withLock { state in
            switch state {
            case .unreaped: nil
            case .reaped(let status): status
            }
        }
    }

    /// Reaps the process if it has ended; does not block.
    ///
    /// - Returns: How it ended, the same each time; nil while it runs.
    package func reap() throws(SystemError) -> ExitStatus? {
        // Whoever is given the child's id after it was reaped has a later number.
        let lastNumber = LifePage.existing?.lastNumber
        let status = try state.withLock { state throws(SystemError) -> ExitStatus? in
            if case .reaped(let status) = state {
                return status
            }
            guard let status = try collect() else {
                return nil
            }
            state = .reaped(status)
            return status
        }
        if status != nil { publishEnd(upTo: lastNumber) }
        return status
    }

    /// Tells all who share something with the process that it has ended; ``reap()`` does, if nobody has before.
    ///
    /// Call it when ``exitDescriptor`` is readable and there is more to do before the process is reaped: who waits for
    /// what the process held goes on at once.
    package func publishEnd() {
        guard exitStatus == nil else { return }
        publishEnd(upTo: LifePage.existing?.lastNumber)
    }

    private func publishEnd(upTo lastNumber: UInt32?) {
        guard let lastNumber, let page = LifePage.existing else { return }
        let first = obituary.withLock { obituary -> UInt32? in
            guard case .due(let last) = obituary else { return nil }
            obituary = .published
            return last + 1
        }
        guard let first else { return }
        page.announceEnd(of: id, among: min(first, lastNumber)...lastNumber)
    }

    /// Whether somebody has stopped the process (SIGSTOP), and it was not continued since.
    package var isStopped: Bool { mp_pidfd_is_stopped(pidfd.number.rawValue) }

    /// Blocks the calling thread until the process has ended, and reaps it.
    @available(*, noasync, message: "blocks the thread; watch exitDescriptor and call reap()")
    package func waitUntilExit() throws(SystemError) -> ExitStatus {
        while true {
            if let status = try reap() {
                return status
            }
            // Outside the lock, so that the process can be killed meanwhile.
            var entry = pollfd(fd: pidfd.number.rawValue, events: Int16(POLLIN), revents: 0)
            try systemCall("poll") { poll(&entry, 1, -1) }
        }
    }

    /// Sends a signal to the process alone.
    ///
    /// - Returns: False when the process has been reaped. A zombie takes a signal and ignores it.
    @discardableResult
    package func send(_ signal: Signal) throws(SystemError) -> Bool {
        try state.withLock { state throws(SystemError) in
            guard case .unreaped = state else {
                return false
            }
            return try Self.delivered("pidfd_send_signal") {
                mp_pidfd_send_signal(pidfd.number.rawValue, signal.rawValue)
            }
        }
    }

    /// Sends SIGKILL to the process and to every process of its group, grandchildren included.
    ///
    /// The group is killed too when the process itself has ended and nobody, or somebody else, has reaped it.
    ///
    /// - Returns: False when nothing was left to kill, and when this object has reaped the process.
    /// - Throws: With EPERM when this process has given up the privileges that it takes.
    @discardableResult
    package func killGroup() throws(SystemError) -> Bool {
        try state.withLock { state throws(SystemError) in
            guard case .unreaped = state else {
                return false
            }
            let wasGroupThere = try signalGroup()
            // The process itself too, for one that has moved to another group.
            let wasThere = try Self.delivered("pidfd_send_signal") {
                mp_pidfd_send_signal(pidfd.number.rawValue, SIGKILL)
            }
            return wasGroupThere || wasThere
        }
    }

    private func signalGroup() throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try Self.delivered("pidfd_send_signal") {
                mp_pidfd_signal_group(pidfd.number.rawValue, SIGKILL)
            }
        } catch {
            guard error.errno == .invalidArgument else { throw error }
            return try Self.signalGroup(of: id, pidfd.number)
        }
    }

    /// Signals the group by its number, as it has to be done before Linux 6.9.
    package static func signalGroup(of id: ProcessID, _ pidfd: DescriptorNumber) throws(SystemError) -> Bool {
        // Signal 0 asks whether the child still holds its number.
        let isHeld = try delivered("pidfd_send_signal") { mp_pidfd_send_signal(pidfd.rawValue, 0) }
        // If not, its group still does as long as it has members; a process with that number is a stranger,
        // and so is its group.
        if !isHeld, getpgid(id.rawValue) >= 0 {
            return false
        }
        return try delivered("kill") { kill(-id.rawValue, SIGKILL) }
    }

    private static func delivered(_ operation: String, _ body: () -> Int32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try systemCall(operation, body)
            return true
        } catch {
            // Someone else reaped it.
            if error.errno == .noSuchProcess {
                return false
            }
            throw error
        }
    }

    private func collect() throws(SystemError) -> ExitStatus? {
        var exited = false
        var status: Int32 = 0
        do throws(SystemError) {
            let raw = pidfd.number.rawValue
            if try systemCall("waitid", { mp_pidfd_reap(raw, &exited, &status) }) == 0 {
                return nil
            }
        } catch {
            if error.errno == .noChild {
                return .unknown
            }
            throw error
        }
        return exited ? .exited(status) : .signaled(Signal(rawValue: status))
    }
}
