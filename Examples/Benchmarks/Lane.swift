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

    /// Runs once; gives a value for each figure, in seconds, bytes or a plain number.
    ///
    /// nil where this lane has no such figure.
    let run: () async throws -> [Double?]

    /// Runs without being counted.
    private(set) var warmUp: () async throws -> Void
    private(set) var close: () async -> Void = {}

    /// A lane that is warmed up by one run, and has nothing to close.
    init(_ name: String, _ role: Role, _ sides: [Side], run: @escaping () async throws -> [Double?]) {
        self.name = name
        self.role = role
        self.sides = sides
        self.run = run
        warmUp = { _ = try await run() }
    }

    /// A pool that stays the same for all rounds.
    static func pool(
        _ side: Side, workers: Int = 2, run: @escaping (Pool) async throws -> [Double?]
    ) throws -> Lane {
        let pool = try side.pool(workers: workers)
        return Lane(side.rawValue, .ours, [side]) { try await run(pool) }.closing { await pool.shutDown() }
    }

    /// The same, with something else in place of the run that warms up.
    func warming(_ warmUp: @escaping () async throws -> Void) -> Lane {
        var lane = self
        lane.warmUp = warmUp
        return lane
    }

    /// The same, with what gives back what it holds.
    func closing(_ close: @escaping () async -> Void) -> Lane {
        var lane = self
        lane.close = close
        return lane
    }
}
