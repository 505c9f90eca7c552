import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

@Suite("Passing standard error on", .admitted)
struct StandardErrorRelayTests {
    /// A relay into a pipe, and the pipe.
    private final class Line: Sendable {
        let relay: StandardErrorRelay
        let output: FileDescriptor
        let input: FileDescriptor

        init(patience: Duration) throws {
            let pipe = try PipePair()
            output = try FileDescriptor.duplicating(pipe.writeEnd.number, lowest: 3)
            input = pipe.takeReadEnd()
            try input.setNonBlocking()
            relay = StandardErrorRelay(output.number.rawValue, patience: patience)
        }

        /// Reads until what was read is as wanted, a page each millisecond.
        func read(until isEnough: ([UInt8]) -> Bool) async throws -> [UInt8] {
            var all: [UInt8] = []
            while !isEnough(all) {
                let result = try withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 1) { buffer in
                    let result = try input.read(into: buffer)
                    if case .received(let count) = result { all += buffer[..<count] }
                    return result
                }
                if case .endOfStream = result { return all }
                try await Task.sleep(for: .milliseconds(1))
            }
            return all
        }

        /// Reads until as many bytes have come, or were said to be dropped: by one line or by several, as the writer's
        /// turn comes.
        func account(for total: Int) async throws -> (kept: Int, dropped: Int) {
            var (kept, dropped, seen) = (0, 0, 0)
            var note: [UInt8] = []
            _ = try await read { all in
                for byte in all[seen...] {
                    switch byte {
                    case UInt8(ascii: "x"):
                        kept += 1
                    case UInt8(ascii: "\n"):
                        let words = String(decoding: note, as: UTF8.self).split(separator: " ")
                        dropped += words.lazy.compactMap { Int($0) }.first ?? 0
                        note = []
                    default:
                        note.append(byte)
                    }
                }
                seen = all.count
                return kept + dropped >= total
            }
            return (kept, dropped)
        }

        func write(_ piece: [UInt8]) {
            piece.withUnsafeBytes { relay.write($0) }
        }

        /// Writes until the relay wants workers to wait.
        func fill() -> Int {
            var count = 0
            while relay.takesMore {
                write(piece)
                count += piece.count
            }
            return count
        }
    }

    @Test("At the end all that waits is written, and nothing is taken any more")
    func end() async throws {
        try await withLimit {
            let line = try Line(patience: .seconds(60))
            let count = line.fill()
            async let all = line.read { $0.count >= count }
            try await onBlockableThread { line.relay.drain() }
            line.write(piece)
            let written = try await all.count
            #expect(written == count)
            #expect(line.relay.takesMore)
        }
    }

    @Test("A slow reader loses nothing, and running workers wait for it")
    func slowReader() async throws {
        try await withLimit {
            let line = try Line(patience: .seconds(60))
            let count = line.fill()
            #expect(count >= StandardErrorRelay.limit)
            #expect(count < StandardErrorRelay.limit + 96 << 10)
            // Room for what a worker that has ended left in its pipe.
            for _ in 0..<4 { line.write(piece) }
            let all = try await line.read { $0.count == count + 4 * piece.count }
            #expect(!all.contains { $0 != UInt8(ascii: "x") })
            await expectSoon { line.relay.takesMore }
        }
    }

    @Test("Ended workers fill no more than there is room for; the reader learns how much was dropped")
    func fullRelay() async throws {
        try await withLimit {
            let line = try Line(patience: .seconds(60))
            for _ in 0..<1_000 { line.write(piece) }
            let (kept, dropped) = try await line.account(for: 1_000 * piece.count)
            #expect(kept + dropped == 1_000 * piece.count)
            #expect(kept <= StandardErrorRelay.lastLimit + 64 << 10)
        }
    }

    @Test("Where nobody reads, workers do not wait, and what they write is dropped; a reader that comes gets the rest")
    func absentReader() async throws {
        try await withLimit {
            let line = try Line(patience: .milliseconds(100))
            var count = line.fill()
            for _ in 0..<1_000 {
                await expectSoon { line.relay.takesMore }
                line.write(piece)
                count += piece.count
            }
            let (kept, dropped) = try await line.account(for: count)
            #expect(kept + dropped == count)
            #expect(dropped > 0)
            line.write(Array("again".utf8))
            let again = try await line.read { $0.count == 5 }
            #expect(again == Array("again".utf8))
        }
    }

    @Test("Memory stays as it is when a program's workers say much and nobody reads its standard error")
    func memory() async throws {
        let pipe = try PipePair()
        let probe = try ProbeProcess(
            ["unheard"], path: ProbeProcess.path, standardError: pipe.writeEnd.number)
        let sizes = try await probe.remainingLines(limit: .seconds(60)).compactMap { line in
            line.hasPrefix("resident ") ? Int(line.dropFirst("resident ".count)) : nil
        }
        #expect(try await probe.exitStatus() == .exited(0))
        try #require(sizes.count == 2)
        // Kibibytes: 150 crashes left 75 each.
        #expect(sizes[1] - sizes[0] < 3_000)
        withExtendedLifetime(pipe) {}
    }
}

private let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 10)
