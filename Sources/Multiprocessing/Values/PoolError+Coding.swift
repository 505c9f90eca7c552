import MultiprocessingRuntime

/// Errors about values that cannot be sent.
extension PoolError {
    static func notCodable(_ type: Any.Type) -> PoolError {
        let obstacle = CodingObstacle(in: type)
        var error = PoolError(
            .notPortable,
            """
            values of type \(readableName(of: type)) cannot be sent to a worker process, because \(obstacle.reason); \
            \(obstacle.cure), or use Pool(.threads)
            """)
        error.typeName = readableName(of: type)
        return error
    }

    static func notEncodable(_ type: Any.Type, as role: String, _ underlying: any Error) -> PoolError {
        var error = PoolError(
            .notPortable,
            "the \(role) of type \(readableName(of: type)) could not be encoded: \(describe(underlying)); look at its encode(to:)"
        )
        error.typeName = readableName(of: type)
        error.errorDescription = describe(underlying)
        error.underlyingError = underlying
        return error
    }

    static func notDecodable(_ type: Any.Type, as role: String, _ underlying: any Error) -> any Error {
        // It says what happened to a handle, for which no init(from:) is to blame.
        if underlying is SharedStateError { return underlying }
        var error = PoolError(
            .notPortable,
            """
            the \(role) of type \(readableName(of: type)) was sent, but could not be decoded: \(describe(underlying)); \
            look at its init(from:)
            """
        )
        error.typeName = readableName(of: type)
        error.errorDescription = describe(underlying)
        error.underlyingError = underlying
        return error
    }
}
