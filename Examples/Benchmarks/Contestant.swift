import Multiprocessing

/// One of those that take turns: a backend, a floor or a peer, ready to run.
struct Contestant {
    enum Role {
        case ours
        /// What the machine does at best, without a pool.
        case floor
        case peer
    }

    let name: String
    let role: Role

    /// What it can be compared to; one backend for ``Role/ours``.
    let backends: [MeasuredBackend]

    /// Runs once; gives a value for each figure, in seconds, bytes or a plain number.
    ///
    /// nil where this contestant has no such figure.
    let run: () async throws -> [Double?]

    /// Runs without being counted.
    private(set) var warmUp: () async throws -> Void
    private(set) var close: () async -> Void = {}

    /// A contestant that is warmed up by one run, and has nothing to close.
    init(_ name: String, _ role: Role, _ backends: [MeasuredBackend], run: @escaping () async throws -> [Double?]) {
        self.name = name
        self.role = role
        self.backends = backends
        self.run = run
        warmUp = { _ = try await run() }
    }

    /// A pool that stays the same for all rounds.
    static func pool(
        _ backend: MeasuredBackend, workers: Int = 2, run: @escaping (Pool) async throws -> [Double?]
    ) throws -> Contestant {
        let pool = try backend.pool(workers: workers)
        return Contestant(backend.rawValue, .ours, [backend]) { try await run(pool) }.closing { await pool.shutDown() }
    }

    /// The same, with something else in place of the run that warms up.
    func warming(_ warmUp: @escaping () async throws -> Void) -> Contestant {
        var contestant = self
        contestant.warmUp = warmUp
        return contestant
    }

    /// The same, with what gives back what it holds.
    func closing(_ close: @escaping () async -> Void) -> Contestant {
        var contestant = self
        contestant.close = close
        return contestant
    }
}
