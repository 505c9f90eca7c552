import Glibc
import Multiprocessing

/// What a pool costs that has nothing to do.
struct Idle: Measurement {
    let name = "idle"
    let summary: String
    private let seconds: Int

    init(_ effort: Effort) {
        seconds = effort.pick(5, quick: 1)
        summary = "a pool of 2 has worked and waits for \(seconds) s: the program and its workers, for each second"
    }

    let roundLimit = 1

    let figures = [
        Figure(detail: "processor time", unit: Unit(name: "ms/s", scale: 1e3)),
        Figure(detail: "context switches", unit: Unit(name: "/s", scale: 1)),
    ]

    func contestants() throws -> [Contestant] {
        let rendezvous = try Rendezvous()
        let contestants = MeasuredBackend.allCases.map { backend in
            Contestant(backend.rawValue, .ours, [backend]) {
                // A pool for this run only: one of the other backend must not be counted with it.
                let pool = try backend.pool()
                let members = Set(try await rendezvous.meet(pool) + [getpid()])
                // What follows the last result is work still, and not idleness.
                usleep(200_000)
                let before = try Self.facts(members)
                sleep(UInt32(seconds))
                let after = try Self.facts(members)
                await pool.shutDown()
                return zip(after, before).map { max(0, $0 - $1) / Double(seconds) }
            }
            .warming {}
        }
        return contestants + [Contestant("nothing", .floor, MeasuredBackend.allCases) { [0, 0] }]
    }

    /// The time and the switches of all but this thread, which looks at them and sleeps.
    private static func facts(_ members: Set<pid_t>) throws -> [Double] {
        var time = 0.0
        var switches = 0
        for member in members {
            time += try ProcessFacts(processID: member).processorTime
            switches += try ProcessFacts(processID: member).contextSwitches
        }
        var own = rusage()
        // RUSAGE_THREAD, which is a macro that Swift does not see.
        getrusage(1, &own)
        var ownTime = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ownTime)
        return [
            time - Double(ownTime.tv_sec) - Double(ownTime.tv_nsec) / 1e9,
            Double(switches - own.ru_nvcsw - own.ru_nivcsw),
        ]
    }
}
