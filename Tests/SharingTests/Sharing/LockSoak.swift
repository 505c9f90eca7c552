import Glibc
import Multiprocessing
import MultiprocessingSystem
import Testing

/// Processes that change two numbers under a lock until they are killed, and what they find.
struct LockSoak: Codable, Sendable {
    /// A place for a number that all processes see.
    enum Place: Int {
        case inside, first, second, acquired, told, toldAt, together, tornUntold
        case process
    }

    let lock: SharedLock
    /// The memory is found by the path of the test's descriptor.
    private let path: String

    static func makeMemory() throws -> SharedPages { try SharedPages(size: 4_096) }

    init(_ memory: SharedPages) throws {
        lock = try SharedLock()
        path = "/proc/\(getpid())/fd/\(memory.descriptor.number.rawValue)"
    }

    static func word(_ memory: SharedPages, _ place: Place, _ index: Int = 0) -> SharedWord {
        SharedWord(memory, at: 64 * (place.rawValue + index))
    }

    func open() throws -> SharedPages {
        let number = Glibc.open(path, O_RDWR | O_CLOEXEC)
        try #require(number >= 0)
        return try SharedPages(mapping: FileDescriptor(adopting: DescriptorNumber(rawValue: number)))
    }

    /// Goes on until the process is killed.
    func run(_ index: Int) throws {
        let memory = try open()
        LockSoak.word(memory, .process, index).store(UInt64(getpid()))
        while true {
            try once(memory)
        }
    }

    /// The same with tasks that suspend.
    func runSuspending(_ index: Int) async throws {
        let memory = try open()
        LockSoak.word(memory, .process, index).store(UInt64(getpid()))
        try await withThrowingTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    while true {
                        try await onceSuspending(memory)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    func once(_ memory: SharedPages) throws {
        let recover = { (dead: DeadOwner) in self.recover(memory, dead) }
        try lock.withLock(recover: recover) { change(memory) }
    }

    func onceSuspending(_ memory: SharedPages) async throws {
        let recover = { (dead: DeadOwner) in self.recover(memory, dead) }
        try await lock.withLock(recover: recover) {
            change(memory)
            await Task.yield()
        }
    }

    func recover(_ memory: SharedPages, _ dead: DeadOwner) {
        func word(_ place: Place) -> SharedWord { LockSoak.word(memory, place) }
        word(.toldAt).store(MonotonicTime.now().nanoseconds)
        word(.inside).store(0)
        word(.second).store(word(.first).load())
        word(.told).add(1)
    }

    func change(_ memory: SharedPages) {
        func word(_ place: Place) -> SharedWord { LockSoak.word(memory, place) }
        if word(.inside).add(1) != 0 { word(.together).add(1) }
        if word(.first).load() != word(.second).load() { word(.tornUntold).add(1) }
        word(.first).store(word(.first).load() + 1)
        let until = MonotonicTime.now().nanoseconds + 5_000
        while MonotonicTime.now().nanoseconds < until {}
        word(.second).store(word(.first).load())
        word(.inside).store(0)
        word(.acquired).add(1)
    }
}
