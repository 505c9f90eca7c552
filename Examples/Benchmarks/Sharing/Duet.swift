import Glibc
import Multiprocessing

/// Two worker processes, each of which does its part of what is measured.
struct Duet {
    let pool: Pool

    /// Where both parts wait for each other, so that starting them takes no part in the time.
    let start: SharedBarrier

    init() throws {
        pool = try MeasuredBackend.processes.pool(workers: 2)
        start = try SharedBarrier(parties: 2)
    }

    /// From when the first began until the last ended, and the sum of what both give.
    func join(_ first: Future<Part>, _ second: Future<Part>) async throws -> Part {
        // At once, because when one fails the other may wait for it without an end.
        try await withThrowingTaskGroup(of: Part.self) { group in
            for future in [first, second] { group.addTask { try await future.value } }
            return try await group.reduce(Part(begin: .infinity, end: 0, sum: 0)) {
                Part(begin: min($0.begin, $1.begin), end: max($0.end, $1.end), sum: $0.sum + $1.sum)
            }
        }
    }

    func contestant(_ run: @escaping () async throws -> [Double?]) -> Contestant {
        Contestant(MeasuredBackend.processes.rawValue, .ours, [.processes], run: run).closing { await pool.shutDown() }
    }

    /// What C has, run by the same two processes.
    static func floor(_ name: String, _ run: @escaping () async throws -> [Double?]) -> Contestant {
        Contestant(name, .floor, [.processes], run: run)
    }
}

/// What a part of a measurement took, and something by which to see that it was done.
struct Part: Codable, Sendable {
    /// In seconds of a clock that all processes read alike.
    let begin: Double
    let end: Double
    let sum: Int

    var seconds: Double { end - begin }

    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension SharedBarrier {
    /// How long the other may take to come.
    private static var patience: Duration { .seconds(120) }

    /// Waits for the other part, then times this one.
    func time(_ body: () throws -> Int) throws -> Part {
        _ = try wait(timeout: Self.patience)
        let begin = Part.now
        let sum = try body()
        return Part(begin: begin, end: Part.now, sum: sum)
    }

    /// Waits for the other part, then times this one.
    func time(_ body: () async throws -> Int) async throws -> Part {
        _ = try await wait(timeout: Self.patience)
        let begin = Part.now
        let sum = try await body()
        return Part(begin: begin, end: Part.now, sum: sum)
    }
}
