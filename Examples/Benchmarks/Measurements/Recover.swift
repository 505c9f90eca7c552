import Glibc
import Multiprocessing

/// How long a pool takes to have a result again after its only worker was killed.
struct Recover: Measurement {
    let name = "recover"
    let summary = "the only worker of a pool is killed with SIGKILL while idle: time to the next result"
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(10, quick: 2)
    }

    var figures: [Figure] {
        [Figure(unit: .milliseconds)]
    }

    func contestants() throws -> [Contestant] {
        let pool = try MeasuredBackend.processes.pool(workers: 1)
        let ours = Contestant(MeasuredBackend.processes.rawValue, .ours, [.processes]) {
            var total = 0.0
            for _ in 0..<count {
                let victim = try await pool.run { getpid() }
                let watch = Stopwatch()
                kill(victim, SIGKILL)
                let replacement = try await pool.run { getpid() }
                total += watch.seconds
                try check(victim != replacement && replacement != getpid(), true)
            }
            return [total / Double(count)]
        }
        .closing { await pool.shutDown() }
        let floor = Contestant("start of a worker", .floor, [.processes]) {
            var total = 0.0
            for _ in 0..<count {
                let watch = Stopwatch()
                let pool = try MeasuredBackend.processes.pool(workers: 1)
                let worker = try await pool.run { getpid() }
                total += watch.seconds
                await pool.shutDown()
                try check(worker != getpid(), true)
            }
            return [total / Double(count)]
        }
        return [ours, floor]
    }
}
