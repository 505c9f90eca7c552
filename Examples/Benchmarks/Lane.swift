import Multiprocessing

/// One of those that take turns: a backend, a floor or a peer, ready to run.
struct Lane {
    enum Role {
        case ours
        /// What the machine does at best, without a pool.
        case floor
        case peer
    }

    let name: String
    let role: Role

    /// What it can be compared to; one side for ``Role/ours``.
    let sides: [Side]

    /// Runs once without being counted.
    let warmUp: () async throws -> Void

    /// Runs once; gives a value for each figure, in seconds, bytes or a plain number.
    ///
    /// nil where this lane has no such figure.
    let run: () async throws -> [Double?]

    let close: () async -> Void

    init(
        _ name: String, _ role: Role, _ sides: [Side],
        warmUp: (() async throws -> Void)? = nil,
        close: @escaping () async -> Void = {},
        run: @escaping () async throws -> [Double?]
    ) {
        self.name = name
        self.role = role
        self.sides = sides
        self.warmUp = warmUp ?? { _ = try await run() }
        self.run = run
        self.close = close
    }

    /// A pool that stays the same for all rounds.
    static func pool(
        _ side: Side, workers: Int = 2, run: @escaping (Pool) async throws -> [Double?]
    ) throws -> Lane {
        let pool = try side.pool(workers: workers)
        return Lane(side.rawValue, .ours, [side], close: { await pool.shutDown() }) { try await run(pool) }
    }
}
