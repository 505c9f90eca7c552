import MultiprocessingSystem

/// What a worker process may use at most; `nil` is no limit.
///
/// ```swift
/// let limits = ResourceLimits(
///     memory: .mebibytes(512), cpuTime: .seconds(60), openFiles: 256)
/// let pool = try Pool(.processes(limits: limits))
/// ```
///
/// | limit | enforced by | what happens |
/// | --- | --- | --- |
/// | `memory` | looks at the worker's private memory | ``PoolError/Code/memoryLimitExceeded`` |
/// | `cpuTime` | looks at the processor time of the item | ``PoolError/Code/timedOut`` |
/// | `openFiles` | the kernel, exactly | opening one more fails in the item, with `EMFILE` |
///
/// The first two end the worker, which is replaced, and are as exact as the looks are close: <doc:Control> tells how
/// close, what counts as private memory, and of the kernel's limit behind it.
public struct ResourceLimits: Hashable, Sendable {
    /// The memory that a worker has for itself: its heap, its stacks and its changed data.
    ///
    /// Shared memory, mapped files, what the system has swapped out, and processes that the work starts are not
    /// counted. It is a limit of the worker, so what earlier items left behind counts too; a worker that passes it
    /// between two items is replaced and fails none. At least 16 MiB.
    public var memory: ByteCount?

    /// How long the threads of a worker may run on processors for one item.
    ///
    /// Time that it waits does not count; two busy threads use it up twice as fast. Items that are begun together,
    /// because the caller gave a chunk size, count as one.
    public var cpuTime: Duration?

    /// How many files, sockets and pipes a worker may have open, its own included, of which there are about 16; at
    /// least 32.
    ///
    /// A lower limit that the program itself has holds as well.
    public var openFiles: Int?

    /// Makes limits; what is left out is not limited.
    public init(memory: ByteCount? = nil, cpuTime: Duration? = nil, openFiles: Int? = nil) {
        self.memory = memory
        self.cpuTime = cpuTime
        self.openFiles = openFiles
    }

    static let smallestMemory = ByteCount.mebibytes(16)
    static let fewestFiles = 32

    /// Whether something has to look, now and then, at what a worker uses.
    var areWatched: Bool { memory != nil || cpuTime != nil }

    /// How much a worker may map for writing; the kernel holds to this also when nobody looks in time.
    var mappedBytes: Int? {
        memory.map { memory in
            let (sum, overflow) = memory.bytes.addingReportingOverflow(max(memory.bytes, 1 << 30))
            return overflow ? .max : sum
        }
    }
}

/// A limit that a worker has passed.
enum PassedLimit: Sendable {
    case memory(used: ByteCount?, limit: ByteCount)
    case cpuTime(used: Duration, limit: Duration)

    /// The limit that a worker's last words speak of: memory that the kernel refused it.
    init?(of limits: ResourceLimits, status: ExitStatus?, lastWords: String) {
        guard let memory = limits.memory, case .signaled = status,
            Self.refusals.contains(where: { lastWords.contains($0) })
        else { return nil }
        self = .memory(used: nil, limit: memory)
    }

    /// What the Swift runtime and the C++ library say when memory is not to be had.
    private static let refusals = ["ailed to allocate", "Could not allocate memory", "std::bad_alloc"]
}
