@preconcurrency import Glibc
import Multiprocessing

extension Service {
    /// Uses all that processes can share, in workers, a child and a manager; says what came of it, and whether any of these
    /// processes has something of a name in /dev/shm.
    static func share() async throws {
        // What others need for shared memory and for semaphores.
        let named = shm_open("/multiprocessing-service", O_RDWR | O_CREAT, 0o600)
        print("shm_open \(named >= 0)")
        if named >= 0 {
            close(named)
            shm_unlink("/multiprocessing-service")
        }

        let pool = try Pool(.processes, workers: 2)
        let things = try Things()
        let (near, far) = try Connection<Int, Int>.pair()
        let items = (0..<2).map { number in pool.submit { try things.use(number) } }
        let answer = pool.submit { try far.send(try far.receive(timeout: .seconds(20)) + 1) }
        things.event.set()
        try await near.send(41)
        print("connection \(try await near.receive(timeout: .seconds(20)))")
        var isNamed = [hasNamedMemory]
        for item in items { isNamed.append(try await item.value) }
        try await answer.value
        print("queue \(try await things.queue.receive(atMost: 4, timeout: .seconds(20)).sorted())")
        print("value \(try await things.value.load())")
        print("array \(things.array.withElements { span in (0..<span.count).map { span[$0] } })")
        print("memory \(things.memory.withUnsafeBytes { $0[0] })")

        let child = try ChildProcess(.processes, things.value) { value -> Bool in
            try value.withLock { $0 += 40 }
            return Service.hasNamedMemory
        }
        isNamed.append(try await child.value)
        print("child \(try await things.value.load())")

        let manager = try await Manager(.processes)
        let table = try await manager.dictionary(of: String.self, Int.self)
        try await pool.forEach(0..<10) { _ in try await table.update("items", default: 0) { $0 += 1 } }
        print("manager \(try await table.get("items") ?? 0)")
        await manager.shutDown()

        // Longer than any buffer, and as one piece.
        let numbers = Array(0..<1 << 20)
        let sum = try await pool.run(numbers) { $0.reduce(0, +) }
        print("large \(sum == numbers.count * (numbers.count - 1) / 2)")
        await pool.shutDown()
        print("named \(isNamed.contains(true))")
    }

    /// Whether this process has anything mapped or open whose name is in /dev/shm.
    static var hasNamedMemory: Bool {
        guard let file = fopen("/proc/self/maps", "re"), let folder = opendir("/proc/self/fd") else { return true }
        defer {
            fclose(file)
            closedir(folder)
        }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        var names = String(decoding: bytes[..<count], as: UTF8.self)
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var target = [UInt8](repeating: 0, count: 4_096)
            let length = target.withUnsafeMutableBytes {
                readlink("/proc/self/fd/\(name)", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
            if length > 0 { names += "\n" + String(decoding: target[..<length], as: UTF8.self) }
        }
        return names.contains("/dev/shm")
    }

    /// One of each.
    private struct Things: Codable, Sendable {
        let event: SharedEvent
        let value: SharedValue<Int>
        let array: SharedArray<Int>
        let memory: SharedMemory
        let queue: SharedQueue<Int>
        let recursive: SharedRecursiveLock
        let semaphore: SharedSemaphore
        let barrier: SharedBarrier
        let condition: SharedCondition
        let mutex: SharedLock

        init() throws {
            mutex = try SharedLock()
            event = try SharedEvent()
            value = try SharedValue(0)
            array = try SharedArray(count: 4)
            memory = try SharedMemory(byteCount: 4_096)
            queue = try SharedQueue(capacity: 8)
            recursive = try SharedRecursiveLock()
            semaphore = try SharedSemaphore(1)
            barrier = try SharedBarrier(parties: 2)
            condition = try SharedCondition(mutex)
        }

        /// What each of two workers does.
        func use(_ number: Int) throws -> Bool {
            _ = try event.wait(timeout: .seconds(20))
            _ = try barrier.wait(timeout: .seconds(20))
            try mutex.withLock {
                memory.withUnsafeBytes { $0[0] += 1 }
                try condition.notifyAll()
                _ = try condition.wait(until: { memory.withUnsafeBytes { $0[0] } == 2 }, timeout: .seconds(20))
            }
            try recursive.withLock { try recursive.withLock { try value.withLock { $0 += 1 } } }
            try semaphore.withPermit { try array.withLock { $0[number] = number + 1 } }
            try queue.send(number)
            return Service.hasNamedMemory
        }
    }
}
