/// What is noted of a chunk for those who look at what the pool does; guarded by the pool's lock.
struct ChunkRecord {
    /// The chunk's number in its pool, from 1; zero before the pool has it.
    var number: UInt64 = 0

    /// When it was queued, in nanoseconds of the monotonic clock.
    var queuedAt: UInt64 = 0

    /// When it was handed to its worker; zero while it is with none.
    var startedAt: UInt64 = 0

    /// How long it waited before that.
    var waited: UInt64 = 0

    /// How many items the worker was handed.
    var handed = 0

    /// How many items were counted as ended with a value.
    var countedValues = 0

    /// How many items were counted as ended in another way.
    var countedFailures = 0

    /// Whether its inputs were counted as sent.
    var isSent = false

    /// How many bytes of its values were counted.
    var countedBytes = 0

    /// How many items were counted.
    var counted: Int { countedValues + countedFailures }
}
