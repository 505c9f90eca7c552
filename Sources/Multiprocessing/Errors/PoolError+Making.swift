import MultiprocessingRuntime

extension PoolError {
    /// A new error for each item: what one caller does with it cannot show in another.
    static var poolShutDown: PoolError {
        PoolError(.shutDown, "the pool was shut down; make a new pool to run more work")
    }

    static func waitTimedOut(_ limit: Duration) -> PoolError {
        PoolError(.timedOut, "the item did not end within \(shown(limit)); it goes on running", limit)
    }

    /// The error of a wait for the next result of a stream.
    static func resultTimedOut(_ limit: Duration) -> PoolError {
        PoolError(
            .timedOut,
            "the stream had no next result within \(shown(limit)); it goes on, and gives it to the next call",
            limit)
    }

    private init(_ code: Code, _ text: String, _ limit: Duration) {
        self.init(code, text)
        self.limit = limit
    }

    private static func shown(_ limit: Duration) -> String {
        // Less than any clock counts has no description that helps.
        limit < .seconds(-(Int64(1) << 40)) ? "the time given, which is far below zero" : "\(limit)"
    }

    /// The error of an item that ran for longer than it may, in nanoseconds.
    static func itemTimedOut(after limit: UInt64) -> PoolError {
        let limit = Duration.nanoseconds(Int64(clamping: limit))
        var error = PoolError(
            .timedOut,
            "the item ran for longer than its timeout of \(limit) and was stopped; allow it more, or do less")
        error.limit = limit
        return error
    }

    /// The error of an item that waited for longer than it may, in nanoseconds.
    static func waitedTooLong(for limit: UInt64) -> PoolError {
        let limit = Duration.nanoseconds(Int64(clamping: limit))
        var error = PoolError(
            .timedOut,
            """
            the item waited for a worker for longer than its queue timeout of \(limit) and was not started; have more \
            workers, submit less at a time, or let it wait for longer
            """)
        error.limit = limit
        error.isOfWaiting = true
        return error
    }

    /// The error of a call to a pool in a process that was forked off the one that made it.
    static var forked: PoolError {
        PoolError(
            .shutDown,
            """
            this process was forked off (by fork or daemon) after the pool was made, and the pool's workers and \
            threads stayed with the process before it; make the program's first pool after the fork
            """)
    }

    /// The error of a new pool in a process that was forked off one that had a pool.
    static var madeInFork: PoolError {
        PoolError(
            .workerStartFailed,
            """
            this process was forked off (by fork or daemon) one that had made a pool, and Dispatch, which pools need, \
            does not work in it; make the program's first pool after the fork, or start a new program instead
            """)
    }

    /// A type that others have declared a backend.
    static func foreignBackend(_ type: Any.Type) -> PoolError {
        PoolError(
            .invalidArgument,
            "the backend is of type \(readableName(of: type)), and a pool runs on .threads or .processes")
    }

    static func invalidArgument(_ name: String, _ value: Int, _ rule: String) -> PoolError {
        PoolError(.invalidArgument, "\(name) is \(value), but \(rule)")
    }

    static func invalidArgument(_ name: String, _ value: Duration, _ rule: String) -> PoolError {
        // Far beyond any clock a duration has no description.
        let edge = Duration.seconds(Int64(1) << 40)
        return PoolError(.invalidArgument, "\(name) is \(min(max(value, .zero - edge), edge)), but \(rule)")
    }

    /// What a caller gets to see of an error that an item threw.
    ///
    /// The rule is the same on every backend, so that code which was tested on threads catches
    /// the same errors on processes.
    static func thrown(_ error: any Error) -> any Error {
        if error is CancellationError || error is any Codable { return error }
        return remote(error)
    }

    static func remote(_ error: any Error) -> PoolError {
        var remote = remote(typeName: readableName(of: type(of: error)), description: describe(error))
        remote.underlyingError = error
        return remote
    }

    /// - Parameter note: Why the error does not arrive as what it was.
    static func remote(
        typeName: String,
        description: String,
        note: String = "an error whose type is Codable is rethrown as what it is"
    ) -> PoolError {
        var remote = PoolError(.remote, "the item threw \(typeName): \(description) (\(note))")
        remote.typeName = typeName
        remote.errorDescription = description
        return remote
    }
}
