import MultiprocessingRuntime

/// Errors about the set-up of workers.
extension PoolError {
    /// The error of what was queued when a worker's set-up failed.
    static func setUpFailed(in worker: Int, _ cause: any Error) -> PoolError {
        let known = cause as? PoolError
        let story =
            switch known?.code {
            case .workerCrashed:
                "worker process \(known?.processID ?? 0) crashed in it"
                    + (known?.signal.map { " (signal \($0))" } ?? known?.exitCode.map { " (exit code \($0))" } ?? "")
            case .remote: "it threw \(known?.typeName ?? ""): \(known?.errorDescription ?? "")"
            case .none: "it threw \(readableName(of: type(of: cause))): \(describe(cause))"
            default: known?.message ?? ""
            }
        var error = PoolError(
            .setUpFailed,
            """
            the pool's set-up failed in worker \(worker), and no work runs without it: \(story); it is tried again with \
            what is submitted a second later
            """)
        if let known {
            error.processID = known.processID
            error.signal = known.signal
            error.exitCode = known.exitCode
            error.standardError = known.standardError
            error.limit = known.limit
            error.memoryUsed = known.memoryUsed
            error.memoryLimit = known.memoryLimit
            error.typeName = known.typeName
            error.errorDescription = known.errorDescription
        } else {
            error.typeName = readableName(of: type(of: cause))
            error.errorDescription = describe(cause)
        }
        error.underlyingError = cause
        return error
    }

    /// The error behind a set-up that took longer than it may, in nanoseconds.
    static func setUpTimedOut(after limit: UInt64) -> PoolError {
        let limit = Duration.nanoseconds(Int64(clamping: limit))
        var error = PoolError(
            .timedOut, "it took longer than the setUpTimeout of \(limit); allow it more in the pool's configuration")
        error.limit = limit
        return error
    }
}
