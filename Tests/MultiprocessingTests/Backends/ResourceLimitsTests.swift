import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

/// Takes memory and writes to all of it.
private func take(mebibytes: Int) {
    memset(UnsafeMutableRawPointer.allocate(byteCount: mebibytes << 20, alignment: 16), 1, mebibytes << 20)
}

@Suite("Limits of worker processes", .serialized, .admitted)
struct ResourceLimitsTests {
    @Test("An item that takes memory in a loop is ended near the limit, and the worker replaced")
    func memoryInLoop() async throws {
        let limit = ByteCount.mebibytes(256)
        try await ProcessBackend(limits: ResourceLimits(memory: limit)).withPool { pool in
            let error = await pool.submit { for _ in 0..<640 { take(mebibytes: 16) } }.result.failure as? PoolError
            #expect(error?.code == .memoryLimitExceeded, "\(String(describing: error))")
            #expect(error?.memoryLimit == limit)
            if let used = error?.memoryUsed {
                #expect(used > limit)
                #expect(error?.message.contains("\(used)") == true)
            }
            #expect(error?.message.contains("256 MiB") == true, "\(error?.message ?? "none")")
            let rest = try await pool.map(0..<10) { $0 + 1 }
            #expect(rest == Array(1...10))
        }
    }

    @Test("One allocation far beyond the limit is refused by the kernel, and told as the limit that it is")
    func memoryAtOnce() async throws {
        try await ProcessBackend(limits: ResourceLimits(memory: .mebibytes(64))).withPool { pool in
            let error = await pool.submit { take(mebibytes: 8_192) }.result.failure as? PoolError
            #expect(error?.code == .memoryLimitExceeded, "\(String(describing: error))")
            #expect(error?.memoryLimit == .mebibytes(64))
            let one = try await pool.run { 1 }
            #expect(one == 1)
        }
    }

    @Test("Items below the limit run, and a crash below it is a crash")
    func memoryBelow() async throws {
        try await ProcessBackend(limits: ResourceLimits(memory: .mebibytes(512))).withPool { pool in
            for _ in 0..<2 {
                let fits = try await pool.run { () -> Bool in
                    take(mebibytes: 100)
                    return true
                }
                #expect(fits)
            }
            Crash.killed.expect(await pool.submit { Crash.killed.happen() }.result.failure)
        }
    }

    @Test("An item that uses its processor time up is ended; time that others used or that it waits does not count")
    func processorTime() async throws {
        let limit = Duration.milliseconds(800)
        try await ProcessBackend(limits: ResourceLimits(cpuTime: limit)).withPool { pool in
            for _ in 0..<4 {
                let done = try await pool.run { () -> Bool in
                    let end = clock() + 300_000
                    while clock() < end {}
                    usleep(300_000)
                    return true
                }
                #expect(done)
            }
            let error = await pool.submit { while true { _ = getppid() } }.result.failure as? PoolError
            #expect(error?.code == .timedOut, "\(String(describing: error))")
            #expect(error?.limit == limit)
            #expect(error?.message.contains("of processor time") == true, "\(error?.message ?? "none")")
            let one = try await pool.run { 1 }
            #expect(one == 1)
        }
    }

    @Test("An item cannot open more files than the limit, nor raise it")
    func openFiles() async throws {
        let (opened, number, raised) = try await ProcessBackend(limits: ResourceLimits(openFiles: 40)).withPool {
            pool in
            try await pool.run { () -> (Int, Int32, Int32) in
                var opened = 0
                while open("/dev/null", O_RDONLY) >= 0 { opened += 1 }
                let number = errno
                var limit = rlimit(rlim_cur: 100, rlim_max: 40)
                return (opened, number, setrlimit(__rlimit_resource_t(7), &limit))
            }
        }
        #expect((16...40).contains(opened))
        #expect(number == EMFILE)
        #expect(raised == -1)
    }

    @Test("Limits that leave a worker nothing to live on are refused")
    func badLimits() throws {
        for (limits, text) in [
            (ResourceLimits(memory: .bytes(0)), "memory is 0 bytes"),
            (ResourceLimits(memory: .mebibytes(-1)), "memory"),
            (ResourceLimits(cpuTime: .zero), "processor time"), (ResourceLimits(cpuTime: .seconds(-1)), "above zero"),
            (ResourceLimits(openFiles: 31), "open files is 31"), (ResourceLimits(openFiles: -1), "at least 32"),
        ] {
            let error = try #require(refusal(of: ProcessBackend(limits: limits)))
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains(text), "\(error.message)")
        }
    }

    @Test("Amounts of memory read as people write them")
    func byteCounts() {
        #expect("\(ByteCount.mebibytes(512)) \(ByteCount.bytes(1_610_612_736))" == "512 MiB 1.5 GiB")
        #expect("\(ByteCount.bytes(1_000)) \(ByteCount.kibibytes(3))" == "1000 bytes 3 KiB")
        #expect(ByteCount.gibibytes(.max).bytes == .max)
        #expect(ByteCount.kibibytes(2) > .bytes(2_047))
    }
}
