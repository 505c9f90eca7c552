import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

@testable import Multiprocessing

@Suite("Queues whose memory is not as it should be", .admitted)
struct QueueDamageTests {
    @Test("Scribbled memory is an error for all who use it, and nobody reads past it")
    func damaged() async throws {
        let scribbles: [(UInt64, UInt64)] = [
            (0, 0), (.max, .max), (5, 0), (1 << 40, 0x5155_4555 << 32), (.max, 0x5155_4555 << 32),
            // A switch to nowhere, and one where there is none.
            (99, 0x5155_4555 << 32 | 1), (0, 0x5155_4555 << 32 | 1),
        ]
        for (length, flags) in scribbles {
            let queue = try SharedQueue<[UInt8]>()
            try await queue.send([1, 2, 3])
            let memory = queue.store.ring.memory
            let place = try memory.address(memory.head)
            place.storeBytes(of: length, as: UInt64.self)
            place.storeBytes(of: flags, toByteOffset: 8, as: UInt64.self)
            for _ in 0..<2 { expectRefusal(.damaged) { try queue.tryReceive() } }
            await expectRefusalAwaiting(.damaged) { try await queue.receive() }
            await expectRefusalAwaiting(.damaged) { try await queue.receive(atMost: 5) }
            await expectRefusalAwaiting(.damaged) { try await queue.lease() }
        }
    }

    @Test("Cursors that cannot be are an error for senders too")
    func cursors() async throws {
        // Senders look where the head is when it may leave them no room.
        let queue = try SharedQueue<Int>(capacity: 1)
        try await queue.send(1)
        let memory = queue.store.ring.memory
        memory.moveHead(to: QueueCursor(items: 0, segment: 31, position: 7))
        await expectRefusalAwaiting(.damaged) { try await queue.send(2) }
        expectRefusal(.damaged) { try queue.tryReceive() }
        memory.moveHead(to: QueueCursor(items: 0, segment: 0, position: 1 << 30))
        await expectRefusalAwaiting(.damaged) { try await queue.send(2) }
    }

    private struct Swapped: Codable, Sendable {
        var numbers: SharedQueue<Int>?

        init(numbers: SharedQueue<Int>) { self.numbers = numbers }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(numbers)
        }

        init(from decoder: any Decoder) throws {
            _ = try decoder.singleValueContainer().decode(SharedQueue<String>.self)
        }
    }

    @Test("A queue is not decoded as one of something else")
    func anotherElement() async throws {
        let queue = try SharedQueue<Swapped>()
        try await queue.send(Swapped(numbers: try SharedQueue<Int>()))
        await #expect(throws: DecodingError.self) { try await queue.receive() }
        #expect(queue.isEmpty)
    }

    @Test("What a queue takes goes with its last handle")
    func leaks() async throws {
        func open() throws -> Int {
            let folder = try #require(opendir("/proc/self/fd"))
            defer { closedir(folder) }
            var count = 0
            while readdir(folder) != nil { count += 1 }
            return count
        }
        let letters = try SharedQueue<SharedQueue<Int>>()
        let before = try open()
        for _ in 0..<300 {
            let queue = try SharedQueue<Int>()
            try await queue.send(1)
            try await letters.send(queue)
            _ = try await letters.receive().receive()
        }
        // Other tests run beside this one.
        #expect(try open() < before + 150)
    }
}
