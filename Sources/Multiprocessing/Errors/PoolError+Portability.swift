import MultiprocessingRuntime

/// Errors about work that cannot be sent to worker processes.
extension PoolError {
    static func notNamed(_ error: NotPortable) -> PoolError {
        PoolError(.notPortable, "\(error.reason); use another type, make the work a Job, or use Pool(.threads)")
    }

    /// The error of work whose code or types a worker does not have as its parent has them.
    static func notFound(_ error: NotPortable) -> PoolError {
        PoolError(
            .notPortable,
            """
            the work cannot be run in a worker process, because \(error.reason); a worker has what the executable is \
            linked with, and not what the program loads later
            """)
    }

    static func taskLocalNotPortable(_ type: Any.Type, _ error: NotPortable) -> PoolError {
        var made = PoolError(
            .notPortable,
            """
            the task-local of type \(readableName(of: type)) cannot be found in a worker process, because \(error.reason); \
            pass the static property itself, as in CarriedTaskLocal(Trace.$context)
            """)
        made.typeName = readableName(of: type)
        return made
    }

    static func closureNotPortable(_ error: NotPortable) -> PoolError {
        var made = PoolError(
            .notPortable,
            """
            the closure cannot be sent to a worker process, because \(error.reason); capture only the parts that are \
            needed, pass what it needs as an input or with map(_:with:_:), make the work a Job, or use Pool(.threads)
            """)
        made.typeName = error.typeName
        return made
    }
}
