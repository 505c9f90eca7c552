import MultiprocessingSystem

/// Errors about worker processes.
extension PoolError {
    static func workerNotStarted(_ error: SystemError) -> PoolError {
        var made = PoolError(
            .workerStartFailed,
            """
            a worker process could not be started: \(error); check the limits on processes, descriptors \
            and memory, and that /proc is mounted
            """)
        made.errno = error.errno.rawValue
        return made
    }

    static func workerDiedAtStart(_ failure: WorkerFailure) -> PoolError {
        var made = PoolError(
            .workerStartFailed,
            """
            worker process \(failure.processID) \(failure.phrase) before it was ready for work; a worker is this \
            executable started again, so whatever runs before main can be the cause
            """)
        made.adopt(failure)
        return made
    }

    /// The error of an item that was running when its worker ended.
    static func workerCrashed(_ failure: WorkerFailure) -> PoolError {
        var made = PoolError(
            .workerCrashed,
            "worker process \(failure.processID) \(failure.phrase) while it ran the item; the worker is replaced")
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
        if let protocolError { return "was ended, because \(protocolError)" }
        switch status {
        case .exited(let code): return "ended with exit code \(code)"
        case .signaled(let signal): return "was ended by \(signal)"
        case .unknown, nil:
            return "ended, and how was not to be learned, because the program ignores SIGCHLD or waits for every child"
        }
    }
}
