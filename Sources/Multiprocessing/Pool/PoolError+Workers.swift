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

    /// The error of an item that was running when a testing library recorded issues in its worker; made there.
    static func issueRecorded(_ texts: [String], in process: Int32) -> PoolError {
        let text = texts.joined(separator: "; ")
        var made = PoolError(
            .issueRecorded,
            """
            an expectation failed in worker process \(process), which no test can see, so the item fails: \(text); \
            return what the test has to check, and expect it where the result is
            """)
        made.processID = process
        made.errorDescription = text
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

/// Errors about work that cannot be sent to worker processes.
extension PoolError {
    static func notNamed(_ error: NotPortable) -> PoolError {
        PoolError(.notPortable, "\(error.reason); use another type, make the work a Job, or use Pool(.threads)")
    }

    static func closureNotPortable(_ error: NotPortable) -> PoolError {
        PoolError(
            .notPortable,
            """
            the closure cannot be sent to a worker process, because \(error.reason); pass what it needs as an input \
            or with map(_:with:_:), make the work a Job, or use Pool(.threads)
            """)
    }

    static func variableNotPortable(_ variable: TopLevelVariable) -> PoolError {
        var error = PoolError(
            .notPortable,
            """
            the closure cannot be sent to a worker process, because it uses \(variable.name), a variable at the top \
            level of main.swift of type \(variable.typeName), which cannot be sent; main.swift does not run in a \
            worker, so make the type Codable, pass the value as an input, or declare the variable in a function
            """)
        error.typeName = variable.typeName
        return error
    }

    static func variableNotInitialized(_ type: Any.Type) -> PoolError {
        PoolError(
            .notPortable,
            """
            the closure cannot be sent to a worker process, because it uses a variable of type \(readableName(of: type)) at the top \
            level of main.swift that has no value yet; move its declaration before this call
            """)
    }

    static func captureNotPortable(_ type: Any.Type) -> PoolError {
        var error = PoolError(
            .notPortable,
            """
            the closure cannot be sent to a worker process, because it captures a value of type \(readableName(of: type)), which is \
            not Codable; make the type Codable, capture only the parts that are needed, make the work a Job, \
            or use Pool(.threads)
            """)
        error.typeName = readableName(of: type)
        return error
    }
}
