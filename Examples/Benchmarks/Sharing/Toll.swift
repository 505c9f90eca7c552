import Glibc
import Multiprocessing

/// Something that lets one process in at a time, and the work that is done inside.
enum Toll: Portable {
    case lock(SharedLock)
    case mutex(Primitives)
    case semaphore(Primitives)

    /// Goes in so many times, one behind the other, and stays inside for some steps.
    ///
    /// - Returns: How often.
    func pass(_ count: Int, steps: Int) throws -> Int {
        var number = UInt64(count)
        var passes = 0
        switch self {
        case .lock(let lock):
            for _ in 0..<count {
                try lock.withLock {
                    number = Self.step(number, steps)
                    passes += 1
                }
            }
        case .mutex(let primitives):
            primitives.withMutex { mutex, _ in
                for _ in 0..<count {
                    pthread_mutex_lock(mutex)
                    number = Self.step(number, steps)
                    passes += 1
                    pthread_mutex_unlock(mutex)
                }
            }
        case .semaphore(let primitives):
            primitives.withSemaphores { semaphore, _ in
                for _ in 0..<count {
                    while sem_wait(semaphore) != 0 {}
                    number = Self.step(number, steps)
                    passes += 1
                    sem_post(semaphore)
                }
            }
        }
        // The number is used, so that the steps to it are made.
        return number == 0 ? passes + 1 : passes
    }

    /// Work that takes the processor and no memory; each step waits for the one before.
    @inline(__always)
    private static func step(_ number: UInt64, _ steps: Int) -> UInt64 {
        var number = number
        for _ in 0..<steps { number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
        return number
    }

    /// How many steps take so long on this machine.
    static func steps(nanoseconds: Int) -> Int {
        let count = 200_000
        var number: UInt64 = 1
        let times = (0..<5).map { _ in
            let watch = Stopwatch()
            number = step(number, count)
            return watch.seconds
        }
        return number == 0 ? 1 : Int(Double(nanoseconds * count) / (times.min()! * 1e9))
    }
}
