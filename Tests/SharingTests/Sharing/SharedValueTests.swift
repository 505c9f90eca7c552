import Foundation
import Multiprocessing
import Synchronization
import TestSupport
import Testing

private struct Sums: BitwiseCopyable, Sendable, Equatable {
    var count = 0
    var sum = 0.0
    var squares = 0.0
}

private struct Histogram: BitwiseCopyable, Sendable {
    var low = SIMD64<Int32>()
    var high = SIMD64<Int32>()
}

@Suite(.admitted)
struct SharedValueTests {
    @Test("test_value: numbers of every kind, and what workers store", arguments: TestBackend.allCases)
    func value(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let int = try SharedValue(Int32(7))
            let double = try SharedValue(1.25)
            let short = try SharedValue(Int16(-3))
            let long = try SharedValue(1 << 33)
            let letter = try SharedValue(UInt8(ascii: "c"))
            let flag = try SharedValue(false)
            #expect(try await int.load() == 7)
            #expect(try await double.load() == 1.25)
            #expect(try await short.load() == -3)
            #expect(try await long.load() == 1 << 33)
            try await pool.run {
                try int.store(23)
                try double.store(2.375)
                try short.store(-232)
                try long.store(1 << 24)
                try letter.store(UInt8(ascii: "y"))
                try flag.store(true)
            }
            #expect(try await int.load() == 23)
            #expect(try await double.load() == 2.375)
            #expect(try await short.load() == -232)
            #expect(try await long.load() == 1 << 24)
            #expect(try await letter.load() == UInt8(ascii: "y"))
            #expect(try await flag.load())
        }
    }

    @Test("Under its lock no addition is lost, small or large", arguments: TestBackend.allCases)
    func additions(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let total = try SharedValue(0)
            let sums = try SharedValue(Sums())
            let histogram = try SharedValue(Histogram())
            try await pool.forEach(1...500) { n in
                try total.withLock { $0 += n }
                try sums.withLock {
                    $0.count += 1
                    $0.sum += Double(n)
                    $0.squares += Double(n * n)
                }
                try histogram.withLock { $0.high[n % 64] += 1 }
            }
            #expect(try await total.load() == 125_250)
            #expect(try await sums.load() == Sums(count: 500, sum: 125_250, squares: 41_791_750))
            #expect(try await histogram.load().high.wrappedSum() == 500)
        }
    }

    @Test("From tasks, also over a suspension", arguments: TestBackend.allCases)
    func tasks(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let total = try SharedValue(0)
            try await pool.forEach(1...100) { n in
                try await total.withLock { value in
                    let before = value
                    await Task.yield()
                    value = before + n
                }
            }
            #expect(try await total.load() == 5_050)
        }
    }

    @Test("test_rawvalue: as an atomic, without the lock", arguments: TestBackend.allCases)
    func atomic(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let total = try SharedValue(0)
            let flag = try SharedValue(false)
            try await pool.forEach(1...1_000) { n in
                total.withAtomic { _ = $0.wrappingAdd(n, ordering: .relaxed) }
                flag.withAtomic { $0.store(true, ordering: .releasing) }
            }
            #expect(total.withAtomic { $0.load(ordering: .acquiring) } == 500_500)
            #expect(try await flag.load())
        }
    }

    @Test("A worker that dies while it changes a number leaves the old one, and the next is told")
    func deadOwner() async throws {
        try await TestBackend.processes.withPool { pool in
            let total = try SharedValue(5)
            await #expect(throws: PoolError.self) {
                try await pool.run {
                    try total.withLock { value in
                        value = 1_000_000
                        kill(getpid(), SIGKILL)
                    }
                }
            }
            #expect(try await total.load() == 5)
            await #expect(throws: SharedStateError.self) { try await total.withLock { $0 += 1 } }
            try await total.withLock(recover: { _, value in value += 10 }) { $0 += 1 }
            #expect(try await total.load() == 16)
        }
    }

    @Test("One that another stores after a death is in order")
    func storeRecovers() async throws {
        try await TestBackend.processes.withPool { pool in
            let sums = try SharedValue(Sums())
            await #expect(throws: PoolError.self) {
                try await pool.run {
                    try sums.withLock { _ in _ = kill(getpid(), SIGKILL) }
                }
            }
            await #expect(throws: SharedStateError.self) { _ = try await sums.load() }
            try await sums.store(Sums(count: 1, sum: 2, squares: 4))
            #expect(try await sums.load() == Sums(count: 1, sum: 2, squares: 4))
        }
    }

    @Test("What a body that throws has changed is changed")
    func throwing() throws {
        struct Stop: Error {}
        let total = try SharedValue(1)
        #expect(throws: Stop.self) {
            try total.withLock {
                $0 = 2
                throw Stop()
            }
        }
        #expect(try total.load() == 2)
    }
}
