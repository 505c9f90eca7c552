import Glibc
import Multiprocessing

/// How long a pool of two takes from nothing to nothing.
struct Start: Measurement {
    let name = "start"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(10, quick: 2)
        summary = "a pool of 2 is made, gives one result or one of both workers, and is shut down"
    }

    let figures = [
        Figure(detail: "first result", unit: .milliseconds, peerCommand: "start-first"),
        Figure(detail: "both workers", unit: .milliseconds, peerCommand: "start-both"),
    ]

    func contestants() throws -> [Contestant] {
        let rendezvous = try Rendezvous()
        return try MeasuredBackend.allCases.map { backend in
            Contestant(backend.rawValue, .ours, [backend]) {
                [try await mean { try await first(backend) }, try await mean { try await both(backend, rendezvous) }]
            }
        } + [tinyPrograms()]
    }

    private func first(_ backend: MeasuredBackend) async throws {
        let pool = try backend.pool()
        let result = try await pool.run(1) { $0 + 1 }
        await pool.shutDown()
        try check(result, 2)
    }

    private func both(_ backend: MeasuredBackend, _ rendezvous: Rendezvous) async throws {
        let pool = try backend.pool()
        let workers = try await rendezvous.meet(pool)
        await pool.shutDown()
        try check(Set(workers).count, backend == .processes ? 2 : 1)
    }

    /// As many programs as the pool starts workers for it: one is enough for the first result.
    private func tinyPrograms() throws -> Contestant {
        let program = try TinyProgram()
        return Contestant("starts of a program that exits", .floor, [.processes]) {
            [try await mean { try program.run(times: 1) }, try await mean { try program.run(times: 2) }]
        }
    }

    private func mean(_ body: () async throws -> Void) async throws -> Double {
        let watch = Stopwatch()
        for _ in 0..<count { try await body() }
        return watch.seconds / Double(count)
    }
}
