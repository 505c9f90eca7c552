import MultiprocessingSystem

/// Errors of connections.
extension SharedStateError {
    static var connectionClosedHere: SharedStateError {
        SharedStateError(
            .closed, "this end of the connection was closed in this process; close it when nothing uses it any more")
    }

    static var nobodyAtTheOtherEnd: SharedStateError {
        SharedStateError(
            .closed,
            """
            nobody is left at the other end of the connection: it was closed, let go of or died with its processes, and \
            all that was sent from there has been received
            """)
    }

    static var damagedMessage: SharedStateError {
        SharedStateError(
            .damaged, "what came over the connection is no message of this library, and was dropped; the next may be")
    }

    /// A message that came, and that is not to be read.
    static func undecodable(_ error: any Error) -> any Error {
        guard let error = error as? SharedStateError, error.code == .damaged else { return error }
        return damagedMessage
    }

    static func tooManyHandles(_ count: Int, of most: Int) -> SharedStateError {
        SharedStateError(
            .invalidArgument,
            "a message with \(count) descriptors of handles cannot be sent, \(most) is the most; send several messages")
    }

    static var broadcastInMessage: SharedStateError {
        SharedStateError(
            .notPortable,
            "a Broadcast cannot be sent over a connection, only with work for its pool; send its value, or a SharedMemory"
        )
    }

    /// What a socket or the memory of a message was refused.
    static func connection(_ error: SystemError) -> SharedStateError {
        error.errno == .fileTooLarge || error.errno == .noMemory
            ? SharedStateError(
                .unavailable,
                "the system has no memory for the message (\(error)); send smaller ones, or raise its limits")
            : .system(error)
    }
}
