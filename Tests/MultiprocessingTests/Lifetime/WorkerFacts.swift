import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport

/// What a worker process finds around it and in it, told by work.
struct WorkerFacts: Codable, Equatable {
    var parent: Int32
    var leadsSession: Bool
    var leadsGroup: Bool
    var environment: [String]
    var arguments: [String]
    var folder: String
    var fileMask: UInt32
    var niceness: Int32
    var openFiles: [UInt]
    /// Blocked, ignored and caught signals, rights, cores, as the kernel writes them.
    var status: [String]
    /// What its descriptors are, without the numbers of pipes and sockets.
    var descriptors: [String]
    var executable: String?
    var name: String

    /// Those of the calling process.
    static func tell() -> WorkerFacts {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let mask = umask(0)
        umask(mask)
        let current = getcwd(nil, 0)
        defer { free(current) }
        let wanted = [
            "SigBlk:", "SigIgn:", "SigCgt:", "Cap", "NoNewPrivs:", "Seccomp", "Cpus_allowed:", "Uid:", "Groups:",
        ]
        return WorkerFacts(
            parent: getppid(), leadsSession: getsid(0) == getpid(), leadsGroup: getpgrp() == getpid(),
            environment: variables(), arguments: CommandLine.arguments,
            folder: current.map { String(cString: $0) } ?? "none", fileMask: mask,
            niceness: getpriority(Int32(PRIO_PROCESS.rawValue), 0), openFiles: [limit.rlim_cur, limit.rlim_max],
            status: text("/proc/self/status").split(separator: "\n").map(String.init).filter { line in
                wanted.contains { line.hasPrefix($0) }
            },
            descriptors: ProcessTable.numbers(in: "/proc/self/fd").compactMap { number in
                ProcessFacts.target(of: "/proc/self/fd/\(number)").map { "\(number) \($0.prefix { $0 != "[" })" }
            }
            .filter { !$0.contains("/proc/") }.sorted(),
            executable: ProcessFacts.target(of: "/proc/self/exe"), name: text("/proc/self/comm"))
    }

    private static func variables() -> [String] {
        ["PATH", "HOME", "MP_TEST_FORKED", "MULTIPROCESSING_WORKER", "SWIFT_BACKTRACE"].map { name in
            "\(name)=\(getenv(name).map { String(cString: $0) } ?? "none")"
        }
    }

    private static func text(_ path: String) -> String {
        (try? FileDescriptor.open(path).readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// Whether the C library and the kernel agree on who the calling process is.
struct ThreadFacts: Codable, Equatable {
    /// The owner that a recursive mutex notes; work runs on the main thread, which has the process's number.
    var owner: Int32
    var process: Int32
    /// How often a recursive mutex let its owner in.
    var depth: Int
    /// What a mutex that looks for mistakes says to a second lock.
    var secondLock: Int32
    /// What `raise` has brought to its handler.
    var raised: Int32
    /// Whether another thread could be started and waited for.
    var joined: Bool

    static func tell() -> ThreadFacts {
        var facts = ThreadFacts(owner: 0, process: getpid(), depth: 0, secondLock: 0, raised: 0, joined: false)
        withMutex(PTHREAD_MUTEX_RECURSIVE) { mutex in
            while facts.depth < 3, pthread_mutex_lock(mutex) == 0 { facts.depth += 1 }
            facts.owner = mutex.pointee.__data.__owner
            for _ in 0..<facts.depth where pthread_mutex_unlock(mutex) != 0 { facts.depth = -1 }
        }
        withMutex(PTHREAD_MUTEX_ERRORCHECK) { mutex in
            pthread_mutex_lock(mutex)
            facts.secondLock = pthread_mutex_lock(mutex)
            pthread_mutex_unlock(mutex)
        }
        signal(SIGUSR1) { Raised.number = $0 }
        raise(SIGUSR1)
        facts.raised = Raised.number
        signal(SIGUSR1, SIG_DFL)
        var thread = pthread_t()
        let begin: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { _ in nil }
        facts.joined = pthread_create(&thread, nil, begin, nil) == 0 && pthread_join(thread, nil) == 0
        return facts
    }

    private static func withMutex(_ kind: Int, _ body: (UnsafeMutablePointer<pthread_mutex_t>) -> Void) {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        defer { mutex.deallocate() }
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, Int32(kind))
        pthread_mutex_init(mutex, &attributes)
        body(mutex)
        pthread_mutex_destroy(mutex)
        pthread_mutexattr_destroy(&attributes)
    }
}

private enum Raised {
    /// Safe: set by a handler that runs in the thread that raises the signal.
    nonisolated(unsafe) static var number: Int32 = 0
}
