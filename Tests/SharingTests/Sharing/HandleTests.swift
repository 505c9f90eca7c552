import Foundation
import Multiprocessing
import TestSupport
import Testing

private struct Parcel: Codable, Sendable {
    var name: String
    var total: SharedValue<Int>
    var others: [SharedArray<Int>]
    var named: [String: SharedMemory]
    var maybe: SharedLock?
}

private struct AddJob: Job {
    let total: SharedValue<Int>
    let amount: Int

    func run() throws -> Int {
        try total.withLock {
            $0 += amount
            return $0
        }
    }
}

private struct Failure: Error, Codable {
    let total: SharedValue<Int>
}

/// Handles of what processes share, wherever a value can stand.
@Suite(.admitted)
struct HandleTests {
    @Test(
        "As a lone capture, as one of several, in arrays, dictionaries, optionals and structures",
        arguments: TestBackend.allCases)
    func captures(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let total = try SharedValue(1)
            let lock = try SharedLock()
            let array = try SharedArray([1, 2, 3])
            let memory = try SharedMemory(byteCount: 16)
            let step = 10
            try await pool.run { try total.withLock { $0 += 1 } }
            #expect(try await total.load() == 2)
            try await pool.run { try lock.withLock {} }
            try await pool.run { array[0] = 7 }
            try await pool.run { memory.withBytes { $0.storeBytes(of: 9, toByteOffset: 3, as: UInt8.self) } }
            #expect(array[0] == 7)
            #expect(memory.withBytes { $0.bytes.unsafeLoad(fromByteOffset: 3, as: UInt8.self) } == 9)
            try await pool.forEach(1...20) { n in try lock.withLock { array[1] += n * step } }
            #expect(array[1] == 2 + 2100)
            let list = [total, try SharedValue(100)]
            let table = ["a": array]
            let maybe: SharedValue<Int>? = total
            try await pool.run { try list[1].withLock { $0 += 1 } }
            try await pool.run {
                guard let array = table["a"] else { return }
                array[2] = 33
            }
            try await pool.run { _ = try maybe?.withLock { $0 += 1 } }
            #expect(try await list[1].load() == 101)
            #expect(array[2] == 33)
            #expect(try await total.load() == 3)
            let parcel = Parcel(name: "p", total: total, others: [array], named: ["m": memory], maybe: lock)
            let seen = try await pool.run {
                try parcel.maybe?.withLock {
                    parcel.others[0][0] += 1
                    return try parcel.total.load() + parcel.others[0][0]
                }
            }
            #expect(seen == 3 + 8)
        }
    }

    @Test("As inputs and outputs, in jobs, shared inputs and broadcasts", arguments: TestBackend.allCases)
    func inputsAndOutputs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let totals = try (0..<5).map { try SharedValue($0) }
            let back = try await pool.map(totals) { total in
                try total.withLock { $0 += 10 }
                return total
            }
            #expect(back == totals)
            for (index, total) in back.enumerated() { #expect(try await total.load() == index + 10) }

            let parcel = Parcel(
                name: "p", total: totals[0], others: [try SharedArray(count: 4)],
                named: ["m": try SharedMemory(byteCount: 8)], maybe: try SharedLock())
            let returned = try await pool.run(parcel) { parcel in
                parcel.others[0][2] = 5
                parcel.named["m"]?.withBytes { $0.storeBytes(of: 77, as: UInt64.self) }
                return parcel
            }
            #expect(
                returned.others == parcel.others && returned.named == parcel.named && returned.maybe == parcel.maybe)
            #expect(parcel.others[0].elements == [0, 0, 5, 0])
            #expect(returned.named["m"]?.withBytes { $0.bytes.unsafeLoad(as: UInt64.self) } == 77)

            #expect(try await pool.run(AddJob(total: totals[1], amount: 5)) == 16)
            _ = try await pool.map(1...10, with: totals[2]) { n, total in try total.withLock { $0 += n } }
            #expect(try await totals[2].load() == 12 + 55)
            let told = pool.broadcast([totals[3]])
            _ = try await pool.map(1...10) { n in try told.value[0].withLock { $0 += n } }
            #expect(try await totals[3].load() == 13 + 55)
        }
    }

    @Test("What a worker makes comes to its parent, to other workers, and back", arguments: TestBackend.allCases)
    func fromWorkers(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 3) { pool in
            let made = try await pool.map(1...6) { n in
                let array = try SharedArray(count: 100_000) as SharedArray<Int>
                array[n] = n
                return Parcel(name: "\(n)", total: try SharedValue(n), others: [array], named: [:], maybe: nil)
            }
            for (index, parcel) in made.enumerated() {
                #expect(parcel.others[0][index + 1] == index + 1)
                parcel.others[0][0] = 1_000
            }
            let sums = try await pool.map(made) { parcel in
                try parcel.total.withLock { $0 += 1 }
                return parcel.others[0].withElements { elements in
                    var sum = 0
                    for index in elements.indices { sum += elements[index] }
                    return sum
                }
            }
            #expect(sums == (1...6).map { $0 + 1_000 })
            for (index, parcel) in made.enumerated() { #expect(try await parcel.total.load() == index + 2) }
        }
    }

    @Test("To a worker's own workers, and from them to the first parent")
    func nested() async throws {
        try await TestBackend.processes.withPool(workers: 2) { pool in
            let total = try SharedValue(0)
            let made = try await pool.map(1...2) { n in
                let inner = try Pool(.processes, workers: 2)
                defer { Task { await inner.terminate() } }
                try await inner.forEach(1...50) { _ in try total.withLock { $0 += n } }
                let array = try await inner.run { try SharedArray([n, 2 * n]) }
                await inner.terminate()
                return array
            }
            #expect(try await total.load() == 150)
            #expect(made.map(\.elements) == [[1, 2], [2, 4]])
        }
    }

    @Test("In errors", arguments: TestBackend.allCases)
    func errors(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let total = try SharedValue(5)
            do {
                try await pool.run { () throws -> Void in
                    try total.withLock { $0 += 1 }
                    throw Failure(total: total)
                }
                Issue.record("it throws")
            } catch let failure as Failure {
                #expect(failure.total == total)
                #expect(try await failure.total.load() == 6)
            }
        }
    }

    @Test("Another encoder refuses them by name")
    func otherEncoders() throws {
        let lock = try SharedLock()
        let array = try SharedArray([1])
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "nothing"
            } catch EncodingError.invalidValue(_, let context) {
                return context.debugDescription
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message { _ = try JSONEncoder().encode(["a": lock]) }
                == "a SharedLock cannot be encoded by JSONEncoder; send it to a worker or a ChildProcess")
        #expect(
            message { _ = try JSONEncoder().encode([array]) }
                == "a SharedArray<Int> cannot be encoded by JSONEncoder; send it to a worker or a ChildProcess")
        #expect(throws: DecodingError.self) {
            _ = try JSONDecoder().decode([SharedValue<Int>].self, from: Data("[1]".utf8))
        }
    }

    @Test("Hundreds in one value, to a worker and from it, more than its socket has room for")
    func many() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let memories = try (0..<700).map { _ in try SharedMemory(byteCount: 8) }
            let count = try await pool.run(memories) { memories in
                for (index, memory) in memories.enumerated() {
                    memory.withBytes { $0.storeBytes(of: index, as: Int.self) }
                }
                return memories.count
            }
            #expect(count == 700)
            let numbers = memories.map { memory in memory.withBytes { $0.bytes.unsafeLoad(as: Int.self) } }
            #expect(numbers == Array(0..<700))
            let made = try await pool.run {
                try (0..<700).map { index in
                    let memory = try SharedMemory(byteCount: 8)
                    memory.withBytes { $0.storeBytes(of: -index, as: Int.self) }
                    return memory
                }
            }
            let others = made.map { memory in memory.withBytes { $0.bytes.unsafeLoad(as: Int.self) } }
            #expect(others == (0..<700).map { -$0 })
        }
    }

    @Test("A worker without room for their descriptors fails those items alone")
    func fullTable() async throws {
        try await withLimit {
            let pool = try Pool(.processes(limits: ResourceLimits(openFiles: 48)), workers: 1)
            let memories = try (0..<60).map { _ in try SharedMemory(byteCount: 8) }
            var codes: [SharedStateError.Code?] = []
            for memory in memories {
                do {
                    _ = try await pool.run(memory) { $0.byteCount }
                    codes.append(nil)
                } catch let error as SharedStateError {
                    codes.append(error.code)
                }
            }
            #expect(codes.first == .some(nil))
            #expect(codes.last == .outOfDescriptors)
            #expect(codes.allSatisfy { $0 == nil || $0 == .outOfDescriptors })
            #expect(try await pool.run(3) { $0 + 1 } == 4)
            await pool.terminate()
        }
    }

    @Test("What was sent as one type is not decoded as another")
    func otherTypes() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            struct Sent: Codable, Sendable {
                let array: SharedArray<Int>
            }
            struct Liar: Codable, Sendable {
                var real: SharedArray<Int>?
                func encode(to encoder: any Encoder) throws {
                    try real?.encode(to: encoder)
                }
                init(_ real: SharedArray<Int>) { self.real = real }
                init(from decoder: any Decoder) throws {
                    _ = try SharedArray<Double>(from: decoder)
                }
            }
            let array = try SharedArray([1, 2])
            await #expect(throws: SharedStateError.self) { _ = try await pool.run(Liar(array)) { $0.real == nil } }
        }
    }
}
