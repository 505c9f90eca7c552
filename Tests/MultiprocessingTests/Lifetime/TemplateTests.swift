import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    // Templates are found among all children, so each test has a process of its own.
    @Suite("Workers that are forked off a template", .ownProcess)
    struct TemplateTests {
        @Test("One that was forked finds what one that was started by itself finds, but for its addresses")
        func facts() async {
            await #expect(processExitsWith: .success) {
                let surroundings: [ProcessBackend] = [
                    ProcessBackend(),
                    ProcessBackend(
                        environment: .inherit.updating(["MP_TEST_FORKED": "yes", "HOME": nil]),
                        workingDirectory: "/usr",
                        limits: ResourceLimits(memory: .gibibytes(1), openFiles: 100), cpus: .spread, niceness: 3,
                        output: .lines { _ in }),
                    ProcessBackend(environment: .custom(["HOME": "/nowhere"]), output: .discard),
                ]
                for backend in surroundings {
                    let first = try await backend.withPool { pool in try await pool.run { WorkerFacts.tell() } }
                    try await backend.withPool { pool in
                        try await Template.ready(byReplacingWorkersOf: pool)
                        // One that was forked ahead, and one for which there was no time, because it was killed at once.
                        await expectSoon { Template.spare != nil }
                        let spare = Template.spare
                        try await Template.replaceWorker(of: pool)
                        let process = try await pool.run { getpid() }
                        #expect(process == spare)
                        let ahead = try await pool.run { WorkerFacts.tell() }
                        #expect(ahead == first)
                        if let next = Template.spare { kill(next, SIGKILL) }
                        try await Template.replaceWorker(of: pool)
                        let facts = try await pool.run { WorkerFacts.tell() }
                        #expect(facts == first)
                        #expect(facts.parent == getpid())
                        #expect(facts.leadsSession && facts.leadsGroup)
                    }
                }
            }
        }

        @Test("The C library in it knows which thread it is in: mutexes with an owner, raise, other threads")
        func thread() async {
            await #expect(processExitsWith: .success) {
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    try await Template.ready(byReplacingWorkersOf: pool)
                    for _ in 0..<5 {
                        try await Template.replaceWorker(of: pool)
                        let facts = try await pool.run { ThreadFacts.tell() }
                        let wanted = ThreadFacts(
                            owner: facts.process, process: facts.process, depth: 3, secondLock: EDEADLK,
                            raised: SIGUSR1, joined: true)
                        #expect(facts == wanted)
                    }
                }
            }
        }

        @Test("A robust mutex that it held when it was killed says so")
        func robustMutex() async {
            await #expect(processExitsWith: .success) {
                let memory = try SharedMemory(byteCount: MemoryLayout<pthread_mutex_t>.size)
                memory.withUnsafeBytes { bytes in
                    var attributes = pthread_mutexattr_t()
                    pthread_mutexattr_init(&attributes)
                    pthread_mutexattr_setrobust(&attributes, Int32(PTHREAD_MUTEX_ROBUST))
                    pthread_mutexattr_setpshared(&attributes, Int32(PTHREAD_PROCESS_SHARED))
                    pthread_mutex_init(bytes.bindMemory(to: pthread_mutex_t.self).baseAddress!, &attributes)
                }
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    try await Template.ready(byReplacingWorkersOf: pool)
                    let error =
                        await pool.submit(memory) { memory in
                            memory.withUnsafeBytes { bytes in
                                pthread_mutex_lock(bytes.bindMemory(to: pthread_mutex_t.self).baseAddress!)
                                Crash.killed.happen()
                            }
                        }.result.failure as? PoolError
                    #expect(error?.signal == SIGKILL)
                }
                let result = memory.withUnsafeBytes { bytes in
                    pthread_mutex_trylock(bytes.bindMemory(to: pthread_mutex_t.self).baseAddress!)
                }
                #expect(result == EOWNERDEAD)
            }
        }

        @Test("What the program has changed since reaches it: its folder, its file mask, its limits, its output")
        func changes() async {
            await #expect(processExitsWith: .success) {
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    try await Template.ready(byReplacingWorkersOf: pool)
                    chdir("/usr/lib")
                    umask(0o27)
                    var limit = rlimit()
                    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                    limit.rlim_cur -= 7
                    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                    // With other limits a template is of no use any more; the next one has them.
                    for round in 0..<2 {
                        try await Template.replaceWorker(of: pool)
                        let facts = try await pool.run { WorkerFacts.tell() }
                        #expect(facts.folder == "/usr/lib")
                        #expect(facts.fileMask == 0o27)
                        #expect(facts.openFiles == [limit.rlim_cur, limit.rlim_max])
                        if round == 0 { try await Template.ready(byReplacingWorkersOf: pool) }
                    }
                    // Another folder alone is no obstacle: the template stays.
                    let template = Template.process()
                    chdir("/usr")
                    try await Template.replaceWorker(of: pool)
                    let folder = try await pool.run { WorkerFacts.tell().folder }
                    #expect(folder == "/usr")
                    #expect(Template.process() == template && template != nil)
                }
            }
        }

        @Test("When a template is killed or stopped, workers start without it, and then with another")
        func loss() async {
            await #expect(processExitsWith: .success) {
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    for signal in [SIGKILL, SIGSTOP, SIGTERM] {
                        let template = try await Template.ready(byReplacingWorkersOf: pool)
                        kill(template, signal)
                        if signal == SIGSTOP { await expectSoon { ProcessTable.entry(template)?.state == "T" } }
                        for _ in 0..<2 { try await Template.replaceWorker(of: pool) }
                        let sum = try await pool.map(1...10) { $0 }.reduce(0, +)
                        #expect(sum == 55)
                        await expectSoon { ProcessTable.entry(template) == nil }
                    }
                }
                await expectSoon { Usage.current.children == 0 }
            }
        }

        @Test("A spare worker that is stopped is not waited for")
        func stoppedSpare() async {
            await #expect(processExitsWith: .success) {
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    try await Template.ready(byReplacingWorkersOf: pool)
                    await expectSoon { Template.spare != nil }
                    let spare = try #require(Template.spare)
                    kill(spare, SIGSTOP)
                    await expectSoon { ProcessTable.entry(spare)?.state == "T" }
                    try await Template.replaceWorker(of: pool)
                    let worker = try await pool.run { getpid() }
                    #expect(worker != spare)
                    await expectSoon { ProcessTable.entry(spare) == nil }
                }
            }
        }

        @Test("Killed at any moment while it forks: every item ends, and no process is left")
        func lossWhileForking() async {
            await #expect(processExitsWith: .success) {
                try await TestBackend.processes.withPool(workers: 2) { pool in
                    for delay in 0..<60 {
                        // Each has forked a worker before it is killed: one that has come to nothing three times in a
                        // row is not made again.
                        try await Template.ready(byReplacingWorkersOf: pool)
                        let killer = try NativeThread(name: "killer", stackSize: 1 << 20) {
                            usleep(UInt32(delay * 25))
                            if let process = delay % 2 == 0 ? Template.process() : Template.spare {
                                kill(process, SIGKILL)
                            }
                        }
                        _ = await pool.submit { Crash.killed.happen() }.result
                        let sum = try await pool.map(1...10) { $0 }.reduce(0, +)
                        #expect(sum == 55)
                        killer.join()
                    }
                }
                await expectSoon { Usage.current.children == 0 }
            }
        }

        @Test("It belongs to its pool: there is none before a worker was replaced, and none after the pool's end")
        func lifetime() async {
            await #expect(processExitsWith: .success) {
                try await Usage.expectNoGrowth(times: 3) {
                    let pool = try Pool(.processes, workers: 2)
                    try await pool.start()
                    #expect(Usage.current.children == 2)
                    let template = try await Template.ready(byReplacingWorkersOf: pool)
                    try await pool.start()
                    // The template, and at most one worker that it has forked ahead.
                    #expect((3...4).contains(Usage.current.children))
                    #expect(ProcessTable.children().contains { $0.process == template })
                    await pool.shutDown()
                    #expect(ProcessTable.children().isEmpty)
                }
                try await Usage.expectNoGrowth(times: 3) {
                    let pool = try Pool(.processes, workers: 1)
                    try await Template.ready(byReplacingWorkersOf: pool)
                    withExtendedLifetime(pool) {}
                }
                await expectSoon { Usage.current.children == 0 }
            }
        }

        @Test("A program that ignores the ends of its children, or reaps them all, has one too")
        func ignoredChildSignal() async {
            await #expect(processExitsWith: .success) {
                signal(SIGCHLD, SIG_IGN)
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    try await Template.ready(byReplacingWorkersOf: pool)
                    for _ in 0..<5 {
                        let error = await pool.submit { Crash.exitThree.happen() }.result.failure as? PoolError
                        #expect(error?.code == .workerCrashed)
                    }
                }
                await expectSoon { Usage.current.children == 0 }
            }
        }

        @Test("Workers that are to be separate are, and have addresses of their own")
        func separate() async {
            await #expect(processExitsWith: .success) {
                try await ProcessBackend(starts: .separate).withPool { pool in
                    var places: Set<Int> = []
                    for _ in 0..<5 {
                        places.insert(try await pool.run { Template.place })
                        try await Template.replaceWorker(of: pool)
                        #expect(Template.process() == nil)
                    }
                    #expect(places.count == 5)
                }
            }
        }

        @Test("When the program is killed the template and its workers are gone within a second")
        func killed() async throws {
            let probe = try ProbeProcess("forked")
            let workers = try await probe.lines(until: "ready").workers
            let processes = workers + [try #require(Template.process(of: probe.id))]
            #expect(processes.count == 2)
            #expect(processes.allSatisfy { ProcessFacts.isRunning($0) })

            try probe.handle.send(.kill)
            await expectSoon("some outlive their program", within: .seconds(1)) {
                !processes.contains { ProcessFacts.isRunning($0) }
            }
        }
    }
}
