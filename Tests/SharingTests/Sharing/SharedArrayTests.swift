import Foundation
import Multiprocessing
import Synchronization
import TestSupport
import Testing

private struct Particle: BitwiseCopyable, Sendable, Equatable {
    var x: Double
    var y: Double
    var charge: Int8
}

private struct Node: BitwiseCopyable, @unchecked Sendable {
    var number: Int
    var next: UnsafeRawPointer?
}

private enum Color: UInt8, BitwiseCopyable, Sendable {
    case red = 7
    case green = 9
}

@Suite(.admitted)
struct SharedArrayTests {
    @Test("test_array: length, elements, slices, and a worker's prefix sum in place", arguments: TestBackend.allCases)
    func array(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let numbers = [680, 626, 934, 821, 150, 233, 548, 982, 714, 831]
            let array = try SharedArray(numbers)
            #expect(array.count == 10 && !array.isEmpty)
            #expect(array[4] == 150)
            #expect(array[2..<5] == [934, 821, 150])
            array[4..<8] = [1, 2, 3, 4]
            #expect(array.elements == [680, 626, 934, 821, 1, 2, 3, 4, 714, 831])
            array[array.indices] = numbers
            try await pool.run(array) { array in
                try array.withLock { elements in
                    for index in 1..<elements.count { elements[index] += elements[index - 1] }
                }
            }
            var sum = 0
            #expect(
                array.elements
                    == numbers.map {
                        sum += $0
                        return sum
                    })
        }
    }

    @Test("test_array_from_size: zero, also when memory is used again")
    func fromSize() throws {
        for _ in 0..<3 {
            let array = try SharedArray<Int>(count: 10)
            #expect(array.elements == Array(repeating: 0, count: 10))
            array[0..<10] = Array(0..<10)
            #expect(array.elements == Array(0..<10))
        }
        #expect(try SharedArray<Double>(count: 0).isEmpty)
    }

    @Test("test_rawarray: without the lock, parts by parts", arguments: TestBackend.allCases)
    func withoutLock(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let array = try SharedArray<Int>(count: 1_000)
            try await pool.forEach(0..<10) { part in
                array.withMutableElements { elements in
                    for index in part * 100..<(part + 1) * 100 { elements[index] = index }
                }
            }
            #expect(array.elements == Array(0..<1_000))
        }
    }

    @Test(
        "test_sharedctypes: structures, numbers of every size and text, changed by workers",
        arguments: TestBackend.allCases)
    func types(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let particles = try SharedArray([Particle(x: 1, y: 2, charge: -1), Particle(x: 3, y: 4, charge: 1)])
            let bytes = try SharedArray<UInt8>("hello".utf8)
            let halves = try SharedArray<Float>([1.5, 2.5])
            let flags = try SharedArray([true, false])
            let colors = try SharedArray([Color.green, .red])
            let vectors = try SharedArray([SIMD4<Float>(1, 2, 3, 4)])
            let pairs = try SharedArray<(Int8, Int64)>([(1, 2)])
            try await pool.run {
                try particles.withLock { particles in
                    for index in particles.indices {
                        particles[index].x *= 2
                        particles[index].charge *= 2
                    }
                }
                try bytes.withLock { bytes in for index in bytes.indices { bytes[index] -= 32 } }
                halves[1] *= 2
                flags[1] = true
                colors[0] = .red
                vectors[0] *= 2
                pairs[0].1 = 5
            }
            #expect(particles.elements == [Particle(x: 2, y: 2, charge: -2), Particle(x: 6, y: 4, charge: 2)])
            #expect(String(decoding: bytes.elements, as: UTF8.self) == "HELLO")
            #expect(halves.elements == [1.5, 5])
            #expect(flags.elements == [true, true])
            #expect(colors.elements == [.red, .red])
            #expect(vectors[0] == SIMD4(2, 4, 6, 8))
            #expect(pairs[0] == (1, 5))
        }
    }

    @Test("test_copy: what is taken out is a copy")
    func copies() throws {
        let array = try SharedArray([Particle(x: 1, y: 2, charge: 3)])
        var copy = array[0]
        copy.x = 9
        #expect(array[0].x == 1 && copy.x == 9)
        let same = array
        same[0].x = 5
        #expect(array[0].x == 5)
        #expect(array == same && Set([array, same]).count == 1)
        #expect(try SharedArray([Particle(x: 1, y: 2, charge: 3)]) != array)
    }

    @Test("Atomic elements, by all workers at once", arguments: TestBackend.allCases)
    func atomics(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let counts = try SharedArray<Int>(count: 4)
            let bytes = try SharedArray<UInt8>(count: 9)
            let flags = try SharedArray<Bool>(count: 2)
            let numbers = try SharedArray<Double>(count: 2)
            try await pool.forEach(0..<1_000) { n in
                counts.withAtomic(at: n % 4) { _ = $0.wrappingAdd(1, ordering: .relaxed) }
                bytes.withAtomic(at: 3) { _ = $0.wrappingAdd(1, ordering: .relaxed) }
                flags.withAtomic(at: 1) { $0.store(true, ordering: .relaxed) }
                numbers.withAtomic(at: 1) { $0.store(2.5, ordering: .relaxed) }
            }
            #expect(counts.elements == [250, 250, 250, 250])
            #expect(bytes.elements == [0, 0, 0, UInt8(truncatingIfNeeded: 1_000), 0, 0, 0, 0, 0])
            #expect(flags.elements == [false, true])
            #expect(numbers.elements == [0, 2.5])
        }
    }

    @Test("Bad sizes and types are refused, with the reason")
    func refusals() throws {
        func reason(_ body: () throws -> Void) -> (code: SharedStateError.Code?, text: String) {
            do {
                try body()
                return (nil, "")
            } catch let error as SharedStateError {
                return (error.code, error.message)
            } catch {
                return (nil, "\(error)")
            }
        }
        let negative = reason { _ = try SharedArray<Int>(count: -1) }
        #expect(negative.code == .invalidArgument && negative.text.contains("-1 elements"))
        let large = reason { _ = try SharedArray<Int>(count: .max) }
        #expect(large.code == .invalidArgument)
        let larger = reason { _ = try SharedArray<UInt8>(count: 1 << 60) }
        #expect(larger.code == .invalidArgument)
        // A pointer by itself is refused by the compiler.
        let node = reason { _ = try SharedArray([Node(number: 1, next: nil)]) }
        #expect(node.code == .invalidArgument && node.text.contains("Node") && node.text.contains("UnsafeRawPointer"))
        let empty = reason { _ = try SharedArray<Node>(count: 1) }
        #expect(empty.code == .invalidArgument)
        let value = reason { _ = try SharedValue(Node(number: 1, next: nil)) }
        #expect(value.code == .invalidArgument)
    }

    @Test("A worker that dies with the elements leaves the next to put them in order")
    func deadOwner() async throws {
        try await TestBackend.processes.withPool(workers: 2) { pool in
            let array = try SharedArray([1, 2, 3])
            await #expect(throws: PoolError.self) {
                try await pool.run {
                    try array.withLock { elements in
                        elements[0] = 100
                        kill(getpid(), SIGKILL)
                    }
                }
            }
            do {
                try await array.withLock { $0[0] = 1 }
                Issue.record("nobody has put it in order")
            } catch let error as SharedStateError {
                #expect(error.code == .ownerDied)
                #expect(error.deadOwner != nil)
            }
            try await array.withLock(recover: { _, elements in elements[0] = 1 }) { $0[1] += 40 }
            try await array.withLock { $0[2] += 1 }
            #expect(array.elements == [1, 42, 4])
        }
    }
}
