import Glibc
import Multiprocessing

/// What an idle worker and waiting work take of memory.
struct Memory: Measurement {
    let name = "memory"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(100_000, quick: 5_000)
        summary = "of an idle worker, its proportional share; in the parent, for each of \(count) waiting items"
    }

    let roundLimit = 3

    var figures: [Figure] {
        let bytes = Unit(name: "B", scale: 1 / Double(count))
        return [
            Figure(detail: "worker", unit: Unit(name: "MiB", scale: 1 / 1_048_576)),
            Figure(detail: "queued item", unit: bytes),
            Figure(detail: "pending future with its item", unit: bytes),
        ]
    }

    func contestants() throws -> [Contestant] {
        let rendezvous = try Rendezvous()
        let pool = try MeasuredBackend.processes.pool()
        let processes = Contestant(MeasuredBackend.processes.rawValue, .ours, [.processes]) {
            let workers = try await rendezvous.meet(pool)
            return [try share(of: workers)] + (try queued(.processes))
        }
        .closing { await pool.shutDown() }
        let threads = Contestant(MeasuredBackend.threads.rawValue, .ours, [.threads]) { [nil] + (try queued(.threads)) }
        let floor = Contestant("this program doing nothing", .floor, [.processes]) {
            // As many as there are workers: what processes have in common is divided among them.
            let children = [try ChildProcess(.idle), try ChildProcess(.idle)]
            defer { children.forEach { $0.end() } }
            // Until both have come as far as waiting.
            usleep(50_000)
            return [try share(of: children.map(\.processID)), nil, nil]
        }
        return [processes, threads, floor]
    }

    /// Of each process on average.
    private func share(of processIDs: [pid_t]) throws -> Double {
        let sum = try processIDs.reduce(0) { try $0 + ProcessFacts(processID: $1).memory("Pss") }
        return sum / Double(processIDs.count)
    }

    private func queued(_ backend: MeasuredBackend) throws -> [Double?] {
        try [false, true].map { keepsFutures in
            let child = try ChildProcess(.queue(backend, items: count, keepsFutures: keepsFutures))
            defer { child.end() }
            guard let bytes = try child.socket.receiveLine().flatMap({ Double($0) }), bytes > 0 else {
                throw WrongResult(description: "memory: the process that queues work gave no figure")
            }
            return bytes
        }
    }
}
