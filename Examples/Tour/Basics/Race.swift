import Multiprocessing

/// Two children add to one number, five times each, one of them ones and the other fours: without a lock, and with it.
enum Race: Program {
    static let about = "two processes that add to a shared value, without a lock and with it"

    static func run(on stage: Stage) async throws {
        try await withoutLock(stage)
        try await withLock(stage)
    }

    /// Both read before either writes: a step that both do at once counts one of the two only.
    private static func withoutLock(_ stage: Stage) async throws {
        let (value, both) = (try SharedValue(0), try SharedBarrier(parties: 2))
        let children = try [1, 4].map { number in
            try ChildProcess(stage.backend, (value, both)) { (value, both) in
                for _ in 0..<5 {
                    let before = try value.load()
                    _ = try both.wait(timeout: .seconds(60))
                    try value.store(before + number)
                    say("without a lock \(try value.load())")
                    _ = try both.wait(timeout: .seconds(60))
                }
            }
        }
        for child in children { try await child.value }
        let sum = try await value.load()
        say("without a lock \(sum) in the end, of 25")
        try insist(sum >= 5 && sum <= 20, "\(sum) without a lock: five steps of one or of four should be left")
    }

    /// Whoever has the lock does all five steps.
    private static func withLock(_ stage: Stage) async throws {
        let (value, lock, nap) = (try SharedValue(0), try SharedLock(), stage.nap)
        let children = try [1, 4].map { number in
            try ChildProcess(stage.backend, (value, lock)) { (value, lock) in
                try await lock.withLock {
                    for _ in 0..<5 {
                        try await Task.sleep(for: nap)
                        try await value.withLock { $0 += number }
                        say("with a lock \(try await value.load())")
                    }
                }
            }
        }
        for child in children { try await child.value }
        try expect(try await value.load(), is: 25, "the sum with a lock")
    }
}
