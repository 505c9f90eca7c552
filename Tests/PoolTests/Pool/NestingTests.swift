import Multiprocessing
import MultiprocessingCoding
import MultiprocessingSystem
import TestSupport
import Testing

/// A value that nests through single-value containers, as one of JSON does.
private indirect enum Nested: Codable, Sendable {
    case leaf
    case list([Nested])

    init(depth: Int) {
        self = (0..<depth).reduce(.leaf) { inner, _ in .list([inner]) }
    }

    var depth: Int {
        var depth = 0
        var value = self
        while case .list(let list) = value, let next = list.first {
            value = next
            depth += 1
        }
        return depth
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .leaf : .list(try container.decode([Nested].self))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .leaf: try container.encodeNil()
        case .list(let list): try container.encode(list)
        }
    }
}

/// A value that nests through its fields.
private final class Chain: Codable, Sendable {
    let next: Chain?

    init(next: Chain?) { self.next = next }

    convenience init(depth: Int) {
        self.init(next: depth == 1 ? nil : Chain(depth: depth - 1))
    }
}

@Suite(.admitted)
struct NestingTests {
    @Test("Values nest as deep as is said, whatever containers they code through", arguments: TestBackend.allCases)
    func limit(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.run(Nested(depth: 490)) { $0.depth } == 490)
            #expect(try await pool.run(Nested(depth: 490)) { $0 }.depth == 490)
            #expect(try await pool.run(490) { Nested(depth: $0) }.depth == 490)
        }
        try await TestBackend.processes.withPool { pool async throws in
            await expectRefusal("nested more than 512 deep") {
                _ = try await pool.run(Nested(depth: 600)) { $0.depth }
            }
            await expectRefusal("nested more than 512 deep") {
                _ = try await pool.run(600) { Nested(depth: $0) }
            }
        }
    }

    @Test("A thread with a short stack refuses what would overflow it", arguments: [256, 512, 1_024, 8_192])
    func shortStacks(kibibytes: Int) async throws {
        // Made and released where the stack is long.
        let value = Nested(depth: 490)
        let chain = Chain(depth: 512)
        let outcomes = try await withLimit {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<[Outcome], any Error>) in
                do {
                    _ = try NativeThread(name: "short", stackSize: kibibytes << 10) {
                        continuation.resume(returning: [code(Nested(depth: 3)), code(value), code(chain)])
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
        #expect(outcomes[0] == .fits)
        #expect(!outcomes.contains(.isRefusedForAnotherReason))
        if kibibytes == 8_192 { #expect(outcomes == [.fits, .fits, .fits]) }
    }

    @Test("A program with a small limit on stacks loses no process to a deep value", arguments: [512, 1_024, 8_192])
    func limitedProgram(kibibytes: Int) async throws {
        try await withLimit {
            let probe = try ProbeProcess(
                ["-c", "ulimit -s \(kibibytes); exec \"$0\" deep", ProbeProcess.path], path: "/bin/sh")
            let lines = try await probe.remainingLines()
            #expect(lines == [10, 100, 490, 512, 2_000].map { "\($0) true" })
            #expect(try await probe.exitStatus() == .exited(0))
        }
    }
}

private enum Outcome: Sendable {
    case fits
    case isRefused
    case isRefusedForAnotherReason
}

/// Encodes a value on this thread, and decodes it.
private func code<Value: Codable>(_ value: Value) -> Outcome {
    do {
        let buffer = ByteBuffer()
        try BinaryEncoder().encode(value, into: buffer)
        try buffer.withUnsafeBytes { _ = try BinaryDecoder().decode(Value.self, from: $0) }
        return .fits
    } catch EncodingError.invalidValue(_, let context) {
        return context.debugDescription.contains("stack") ? .isRefused : .isRefusedForAnotherReason
    } catch DecodingError.dataCorrupted(let context) {
        return context.debugDescription.contains("stack") ? .isRefused : .isRefusedForAnotherReason
    } catch {
        return .isRefusedForAnotherReason
    }
}
