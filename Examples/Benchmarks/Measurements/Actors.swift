import Distributed
import Multiprocessing

/// An actor that counts, and one of the system's own beside it.
distributed actor Counter {
    typealias ActorSystem = WorkerActorSystem
    private var count = 0

    distributed func add(_ number: Int) -> Int {
        count += number
        return count
    }
}

/// How long calls to an object of another process take.
struct Actors: Measurement {
    let name = "actor"
    let summary: String
    private let count: Int

    private static let inFlight = 100

    init(_ effort: Effort) {
        count = effort.pick(10_000, quick: 200)
        summary = """
            \(count) calls to an actor in a manager's process, and as many to set and to get an entry of a dictionary there; \
            time of each
            """
    }

    var figures: [Figure] {
        [
            Figure(detail: "one caller", unit: .microseconds(per: count), peerCommand: "manager-call \(count)"),
            Figure(detail: "\(Self.inFlight) at a time", unit: .microseconds(per: count), baseline: 0),
            Figure(
                detail: "dictionary, 2 workers", unit: .microseconds(per: 2 * count),
                peerCommand: "manager-dict \(count)"),
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let child = try ChildProcess(.ping)
        let home = Home()
        return [
            duet.contestant {
                let (counter, table) = try await home.objects()
                return [try await oneByOne(counter), try await together(counter), try await dictionary(duet, table)]
            }
            .closing {
                await duet.pool.shutDown()
                await home.close()
            },
            Contestant("64 bytes over a socket pair", .floor, [.processes]) {
                let seconds = try SocketPingPong.run(child.socket, count)
                return [seconds, seconds, 2 * seconds]
            }
            .closing { child.end() },
        ]
    }

    private func oneByOne(_ counter: Counter) async throws -> Double {
        let before = try await counter.add(0)
        let watch = Stopwatch()
        for _ in 0..<count { _ = try await counter.add(1) }
        let seconds = watch.seconds
        try check(try await counter.add(0) - before, count)
        return seconds
    }

    private func together(_ counter: Counter) async throws -> Double {
        let before = try await counter.add(0)
        let share = count / Self.inFlight
        let watch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.inFlight {
                group.addTask { for _ in 0..<share { _ = try await counter.add(1) } }
            }
            try await group.waitForAll()
        }
        let seconds = watch.seconds
        try check(try await counter.add(0) - before, share * Self.inFlight)
        return seconds
    }

    /// Each worker sets and gets in turn.
    private func dictionary(_ duet: Duet, _ table: ManagedDictionary<String, String>) async throws -> Double {
        let (start, count) = (duet.start, count)
        let parts = (0..<2).map { worker in
            duet.pool.submit {
                try await start.time {
                    var found = 0
                    for number in 0..<(count / 2) {
                        try await table.set("key \(worker)", "value \(number)")
                        if try await table.get("key \(worker)") == "value \(number)" { found += 1 }
                    }
                    return found
                }
            }
        }
        let part = try await duet.join(parts[0], parts[1])
        try check(part.sum, count / 2 * 2)
        return part.seconds
    }

    /// The manager, made with the first run.
    private actor Home {
        private var manager: Manager?
        private var made: (Counter, ManagedDictionary<String, String>)?

        func objects() async throws -> (Counter, ManagedDictionary<String, String>) {
            if let made { return made }
            let manager = try await Manager(.processes)
            self.manager = manager
            let objects = (
                try await manager.host { Counter(actorSystem: $0) },
                try await manager.dictionary(of: String.self, String.self)
            )
            made = objects
            return objects
        }

        func close() async {
            await manager?.shutDown()
        }
    }
}
