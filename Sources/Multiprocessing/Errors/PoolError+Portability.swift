import MultiprocessingRuntime

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
