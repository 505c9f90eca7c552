extension SharedStateError {
    static var damagedQueue: SharedStateError {
        SharedStateError(
            .damaged,
            "the queue's memory holds what this library never writes: a process has written where it should not; make a new queue, and look for stray pointers in the processes that have this one"
        )
    }

    static var closedQueue: SharedStateError {
        SharedStateError(.closed, "the queue is closed; send before close(), or ask isClosed")
    }

    static var drainedQueue: SharedStateError {
        SharedStateError(
            .closed,
            "the queue is closed and all items have been received; iterate it with for try await, which ends then, or catch this"
        )
    }

    static func tooLarge(_ size: Int, limit: Int) -> SharedStateError {
        SharedStateError(
            .invalidArgument,
            "an item of \(size) bytes is larger than the queue's largest, which is \(limit) bytes; make the queue with a larger byteLimit, or send a SharedMemory"
        )
    }
}
