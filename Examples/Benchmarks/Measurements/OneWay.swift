import Multiprocessing

/// How long calls take to whose answers nobody listens.
struct OneWay: Measurement {
    let name = "one-way"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(200_000, quick: 2_000)
        summary = "\(count) one-way calls to an actor of a manager, until the last has been made; time of each"
    }

    let notes = ["1 M/s are 1 µs for each"]

    var figures: [Figure] {
        [
            Figure(detail: "one caller", unit: .microseconds(per: count), baseline: 0),
            Figure(detail: "two workers", unit: .microseconds(per: count), baseline: 0),
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let home = Home()
        return [
            duet.contestant {
                let counter = try await home.counter()
                let before = try await counter.add(0)
                let seconds = [try await one(counter), try await two(duet, counter)]
                try check(try await counter.add(0) - before, count + count / 2 * 2)
                return seconds
            }
            .closing {
                await duet.pool.shutDown()
                await home.close()
            }
        ]
    }

    private func one(_ counter: Counter) async throws -> Double {
        let watch = Stopwatch()
        try await Self.count(count, counter)
        return watch.seconds
    }

    private func two(_ duet: Duet, _ counter: Counter) async throws -> Double {
        let (start, count) = (duet.start, count / 2)
        let parts = (0..<2).map { _ in
            duet.pool.submit {
                try await start.time {
                    try await Self.count(count, counter)
                    return count
                }
            }
        }
        return try await duet.join(parts[0], parts[1]).seconds
    }

    private static func count(_ count: Int, _ counter: Counter) async throws {
        try await withOneWayCalls(to: counter) { calls in
            for _ in 0..<count { try await counter.count(1) }
            try await calls.finish()
        }
    }

    /// The manager, made with the first run.
    private actor Home {
        private var manager: Manager?
        private var made: Counter?

        func counter() async throws -> Counter {
            if let made { return made }
            let manager = try await Manager(.processes)
            let counter = try await manager.host { Counter(actorSystem: $0) }
            (self.manager, made) = (manager, counter)
            return counter
        }

        func close() async {
            await manager?.shutDown()
        }
    }
}
