import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// Calls with captures leave nothing behind, here or in the worker.
@Suite(.serialized, .admitted(for: .seconds(300)))
struct CaptureMemoryTests {
    /// An object that counts how many of its kind are alive in its process.
    final class Counted: Sendable {
        static let alive = Atomic(0)
        let number: Int

        init(number: Int) {
            self.number = number
            Self.alive.wrappingAdd(1, ordering: .relaxed)
        }

        deinit { Self.alive.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// A value whose storage is an object, as that of a collection is.
    struct Holder: Codable, Sendable {
        let counted: Counted
        let text: String

        init(counted: Counted, text: String) {
            self.counted = counted
            self.text = text
        }

        init(from decoder: any Decoder) throws {
            counted = Counted(number: try decoder.singleValueContainer().decode(Int.self))
            text = ""
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(counted.number)
        }
    }

    /// The resident size of the calling process in KiB.
    static func residentSize() -> Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("VmRSS:") { return Int(text.filter(\.isNumber)) ?? 0 }
        }
        return 0
    }

    private static func call(_ count: Int, on pool: Pool) async throws {
        for start in stride(from: 0, to: count, by: 500) {
            let futures = (start..<start + 500).map { index in
                let (text, list) = (String(repeating: "x", count: 100), [index, index + 1])
                return pool.submit { text.utf8.count + list[0] }
            }
            for (offset, future) in futures.enumerated() {
                #expect(try await future.value == 100 + start + offset)
            }
        }
    }

    /// In a program of its own, where no other test takes memory.
    @Test(.ownProcess) func `A hundred thousand calls with captures leak nothing`() async throws {
        await #expect(processExitsWith: .success) {
            let pool = try Pool(.processes, workers: 1)
            try await CaptureMemoryTests.call(10_000, on: pool)
            let before = (CaptureMemoryTests.residentSize(), try await pool.run { CaptureMemoryTests.residentSize() })
            try await CaptureMemoryTests.call(100_000, on: pool)
            let after = (CaptureMemoryTests.residentSize(), try await pool.run { CaptureMemoryTests.residentSize() })
            // 100 bytes leaked a call would be ten thousand KiB.
            #expect(after.1 - before.1 < 5_000, "the worker grew by \(after.1 - before.1) KiB")
            #expect(after.0 - before.0 < 5_000, "this process grew by \(after.0 - before.0) KiB")
            await pool.shutDown()
        }
    }

    @Test func `Captured objects are released in the worker when the call is over`() async throws {
        let pool = try Pool(.processes, workers: 1)
        try await withLimit(.seconds(240)) {
            for round in 0..<200 {
                let holder = Holder(counted: Counted(number: round), text: "beside")
                let seen = try await pool.map(0..<4, chunkSize: 1) { $0 + holder.counted.number }
                #expect(seen == [round, round + 1, round + 2, round + 3])
            }
            // The last call's may still be on its way out.
            #expect(try await pool.run { Counted.alive.load(ordering: .relaxed) } <= 1)
        }
        await pool.shutDown()
    }
}
