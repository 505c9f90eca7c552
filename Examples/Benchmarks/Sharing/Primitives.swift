import Glibc
import Multiprocessing

/// What the C library has for processes that wait for each other, in memory that they share, and a number beside it.
struct Primitives: Portable {
    private let memory: SharedMemory

    /// One for each, in cache lines of their own.
    private static let stride = 128

    /// - Parameter permits: What the semaphores begin with.
    init(permits: UInt32) throws {
        memory = try SharedMemory(byteCount: 4 * Self.stride)
        withMutex { mutex, _ in
            var attributes = pthread_mutexattr_t()
            pthread_mutexattr_init(&attributes)
            pthread_mutexattr_setpshared(&attributes, Int32(PTHREAD_PROCESS_SHARED))
            pthread_mutex_init(mutex, &attributes)
            pthread_mutexattr_destroy(&attributes)
        }
        withSemaphores { first, second in
            sem_init(first, 1, permits)
            sem_init(second, 1, permits)
        }
    }

    func withMutex<Result>(
        _ body: (UnsafeMutablePointer<pthread_mutex_t>, UnsafeMutablePointer<Int>) throws -> Result
    ) rethrows -> Result {
        try memory.withUnsafeBytes { bytes in
            let mutex = bytes.baseAddress!.assumingMemoryBound(to: pthread_mutex_t.self)
            return try body(mutex, (bytes.baseAddress! + 3 * Self.stride).assumingMemoryBound(to: Int.self))
        }
    }

    func withSemaphores<Result>(
        _ body: (UnsafeMutablePointer<sem_t>, UnsafeMutablePointer<sem_t>) throws -> Result
    ) rethrows -> Result {
        try memory.withUnsafeBytes { bytes in
            let first = (bytes.baseAddress! + Self.stride).assumingMemoryBound(to: sem_t.self)
            return try body(first, (bytes.baseAddress! + 2 * Self.stride).assumingMemoryBound(to: sem_t.self))
        }
    }

    /// Hands over to the other process and waits until it hands back, or the other way round.
    func handOff(_ count: Int, isFirst: Bool) -> Int {
        withSemaphores { there, back in
            for _ in 0..<count {
                if isFirst { sem_post(there) }
                while sem_wait(isFirst ? back : there) != 0 {}
                if !isFirst { sem_post(back) }
            }
            return count
        }
    }

    /// Adds 1 to the number so many times, each under the mutex.
    func add(_ count: Int) -> Int {
        withMutex { mutex, number in
            for _ in 0..<count {
                pthread_mutex_lock(mutex)
                number.pointee += 1
                pthread_mutex_unlock(mutex)
            }
            return count
        }
    }
}
