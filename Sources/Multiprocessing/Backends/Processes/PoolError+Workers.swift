import CMultiprocessing
import MultiprocessingSystem

/// Errors about worker processes.
extension PoolError {
    static func workerNotStarted(_ error: SystemError) -> PoolError {
        var made = PoolError(.workerStartFailed, "a worker process could not be started: \(error); \(error.advice)")
        made.errno = error.errno.rawValue
        return made
    }

    static func workerDiedAtStart(_ failure: WorkerFailure) -> PoolError {
        if failure.passedLimit != nil { return lost(failure, "before it was ready for work; raise the limit") }
        if failure.status == .exited(MP_EXIT_SETTINGS) {
            var made = PoolError(
                .workerStartFailed,
                """
                worker process \(failure.processID) could not be given the cores, limits or nice value that the \
                backend asks for, and says why on its standard error
                """)
            made.adopt(failure)
            return made
        }
        let cause =
            failure.status == .exited(MP_EXIT_PRIVILEGED)
            ? """
            it has privileges that whoever starts this program may lack (capabilities or an id from its executable \
            file, or an effective id that is not the real one), and takes no work; give the service its \
            capabilities as ambient ones (AmbientCapabilities= in systemd, setpriv --ambient-caps), not by setcap \
            or chmod u+s, or use Pool(.threads)
            """
            : """
            a worker is this executable started again, so whatever runs before main can be the cause
            """
        var made = PoolError(
            .workerStartFailed,
            "worker process \(failure.processID) \(failure.phrase) before it was ready for work; \(cause)")
        made.adopt(failure)
        return made
    }

    /// The error of a pool whose workers would be another program.
    static var runByLoader: PoolError {
        PoolError(
            .workerStartFailed,
            """
            worker processes cannot be started, because this program was started as an argument of the dynamic \
            loader (ld.so PROGRAM), and /proc/self/exe, which they are started from, is the loader; start the \
            program itself, or use Pool(.threads)
            """)
    }

    /// What the story of a worker that was lost with its item ends with.
    private static let crashEnd = "while it ran the item; the worker is replaced"

    /// The same story of a process that ran one closure, and that none replaces.
    func ofChild() -> PoolError {
        guard message.hasPrefix("worker process "), message.hasSuffix(Self.crashEnd) else { return self }
        let middle = message.dropFirst("worker ".utf8.count).dropLast(Self.crashEnd.utf8.count)
        return saying("child " + middle + "before what it ran had ended")
    }

    /// The error of an item that was running when its worker ended.
    static func workerCrashed(_ failure: WorkerFailure) -> PoolError {
        if failure.passedLimit != nil { return lost(failure, crashEnd) }
        var made = PoolError(
            .workerCrashed,
            "worker process \(failure.processID) \(failure.phrase) \(Self.crashEnd)")
        made.adopt(failure)
        return made
    }

    /// The error of what is lost because a worker passed a limit.
    private static func lost(_ failure: WorkerFailure, _ rest: String) -> PoolError {
        var made: PoolError
        switch failure.passedLimit {
        case .cpuTime(let used, let limit)?:
            made = PoolError(
                .timedOut,
                """
                worker process \(failure.processID) was ended, because it had used \(used) of processor time for one \
                item, past the limit of \(limit), \(rest)
                """)
            made.limit = limit
        case .memory(let used, let limit)?:
            let story =
                used.map { "was ended, because it had \($0) of memory, past the limit of \(limit)," }
                ?? "was ended by \(failure.status?.description ?? "the kernel") when it was refused memory far past the limit of \(limit),"
            made = PoolError(.memoryLimitExceeded, "worker process \(failure.processID) \(story) \(rest)")
            made.memoryUsed = used
            made.memoryLimit = limit
        case nil:
            preconditionFailure("asked for only where a limit was passed")
        }
        made.adopt(failure)
        return made
    }

    private mutating func adopt(_ failure: WorkerFailure) {
        processID = failure.processID
        standardError = failure.standardError
        switch failure.status {
        case .exited(let code): exitCode = code
        case .signaled(let signal): self.signal = signal.rawValue
        case .unknown, nil: break
        }
    }
}

extension WorkerFailure {
    fileprivate var phrase: String {
        if let killError { return "could not be ended (\(killError)) and was left behind" }
        if let protocolError { return "was ended, because \(protocolError)" }
        switch status {
        case .exited(let code): return "ended with exit code \(code)"
        case .signaled(let signal): return "was ended by \(signal)"
        case .unknown, nil:
            return "ended, and how was not to be learned, because the program ignores SIGCHLD or waits for every child"
        }
    }
}

extension SystemError {
    /// What to look at when a worker could not be started.
    fileprivate var advice: String {
        switch errno {
        case .tooManyOpenFiles, .tooManyFilesInSystem:
            "raise the limit on open files (ulimit -n), or have fewer workers"
        case .wouldBlock:
            "raise the limits on processes (ulimit -u, and the cgroup's pids.max), or have fewer workers"
        case .noMemory:
            "there is too little memory, or a limit on it is too low"
        case .fileTooLarge:
            "raise the limit on the size of files (ulimit -f), which holds for the memory that is shared with a worker too"
        case _ where operation.hasPrefix("stat /") || operation.hasPrefix("chdir /"):
            "the folder that workers work in was there when the pool was made, and has to stay"
        case .noSuchFile where operation.hasPrefix("posix_spawn"):
            "look whether /proc is mounted, and whether the loader that the executable names is there"
        case .permissionDenied where operation.hasPrefix("posix_spawn"):
            "the executable has to be one that the program's present user may execute"
        default:
            "look at the limits on processes, descriptors and memory, and at the container's seccomp profile"
        }
    }
}
