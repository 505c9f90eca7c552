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

    static func variableNotPortable(_ use: TopLevelVariables.Use) -> PoolError {
        let variable = use.variable
        guard !variable.mangledName.isEmpty else {
            return PoolError(
                .notPortable,
                """
                the work cannot be sent to a worker process, because it may use a variable at the top level of \
                main.swift, which does not run in a worker, and the executable was stripped of the symbols that tell \
                which; keep them (strip --strip-debug does), declare the variables of main.swift in a function or a \
                type, or use Pool(.threads)
                """)
        }
        var error = PoolError(
            .notPortable,
            """
            the work cannot be sent to a worker process, because it may reach \(use.user ?? "code"), which uses \
            \(variable.name), a variable at the top level of main.swift of type \(variable.typeName), which cannot be \
            sent; main.swift does not run in a worker, so make the type Codable, pass the value as an input, or \
            declare the variable in a function
            """)
        error.typeName = variable.typeName
        return error
    }

    static func variableNotInitialized(_ variable: TopLevelVariable) -> PoolError {
        var error = PoolError(
            .notPortable,
            """
            the work cannot be sent to a worker process, because it may use \(variable.name), a variable of type \
            \(variable.typeName) at the top level of main.swift that has no value yet; move its declaration before \
            this call
            """)
        error.typeName = variable.typeName
        return error
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
