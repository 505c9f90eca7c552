import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

@Suite("Processes that are killed with a queue of numbers", .serialized, .admitted)
struct QueueNumberKillTests {
    @Test("No number is torn, there twice, out of order or left behind", arguments: [nil, 100])
    func soak(_ capacity: Int?) async throws {
        let memory = try NumberSoak.makeMemory()
        let soak = try NumberSoak(memory, capacity)
        let pool = try Pool(.processes, workers: 4)
        let kills = try await QueueKills.run(memory) { index, id in
            index % 2 == 0
                ? pool.submit { try await soak.send(index, as: id) } : pool.submit { try await soak.receive(index) }
        } closing: {
            soak.queue.close()
        }
        await pool.terminate()
        #expect(soak.queue.isEmpty)
        #expect(QueueSoak.word(memory, .torn).load() == 0, "seed \(kills.seed)")
        #expect(QueueSoak.word(memory, .twice).load() == 0, "seed \(kills.seed)")
        #expect(QueueSoak.word(memory, .disorder).load() == 0, "seed \(kills.seed)")
        let missing = NumberSoak.missing(memory, kills.incarnations)
        // What a killed receiver had taken and not noted yet.
        #expect(missing <= kills.receivers * NumberSoak.batch, "seed \(kills.seed)")
    }
}

/// Processes that send and receive numbers, one by one and several at once, until they are killed.
struct NumberSoak: Codable, Sendable {
    static let batch = 50
    private static let senders = 1 << 10
    private static let numbers = 1 << 19
    private static let headSize = 4_096
    /// In each number, so that a torn one shows.
    private static let mark: UInt64 = 0xA5 << 56

    let queue: SharedQueue<UInt64>
    private let path: String

    static func makeMemory() throws -> SharedPages { try SharedPages(size: headSize + senders * numbers / 8) }

    init(_ memory: SharedPages, _ capacity: Int?) throws {
        queue = try SharedQueue(capacity: capacity, byteLimit: 4 << 20)
        path = "/proc/\(getpid())/fd/\(memory.descriptor.number.rawValue)"
    }

    private func open() throws -> SharedPages {
        let number = Glibc.open(path, O_RDWR | O_CLOEXEC)
        try #require(number >= 0)
        return try SharedPages(mapping: FileDescriptor(adopting: DescriptorNumber(rawValue: number)))
    }

    private static func bits(_ memory: SharedPages, _ sender: Int, _ number: Int) -> SharedWord {
        SharedWord(memory, at: headSize + ((sender % senders) * numbers + number) / 64 * 8)
    }

    private static func item(_ sender: Int, _ number: Int) -> UInt64 { mark | UInt64(sender) << 32 | UInt64(number) }

    func send(_ index: Int, as sender: Int) async throws {
        let memory = try open()
        for number in stride(from: 0, to: Self.numbers, by: 64) { Self.bits(memory, sender, number).store(0) }
        QueueSoak.word(memory, .process, index).store(UInt64(getpid()))
        var number = 0
        while number < Self.numbers - Self.batch {
            // There is one to send for as long as it lives.
            if number > Self.numbers / 2 { usleep(500) }
            if number % 7 == 0 {
                try await queue.send(contentsOf: (number..<number + Self.batch).map { Self.item(sender, $0) })
                number += Self.batch
            } else {
                try await queue.send(Self.item(sender, number))
                number += 1
            }
        }
        while true { pause() }
    }

    func receive(_ index: Int) async throws {
        let memory = try open()
        QueueSoak.word(memory, .process, index).store(UInt64(getpid()))
        var last: [UInt64: UInt64] = [:]
        var turn = 0
        while true {
            let items: [UInt64]
            do {
                turn += 1
                items = turn % 5 == 0 ? try await queue.receive(atMost: Self.batch) : [try await queue.receive()]
            } catch let error as SharedStateError where error.code == .closed {
                return
            }
            for item in items {
                let (sender, number) = (item >> 32 & 0xFF_FFFF, item & 0xFFFF_FFFF)
                guard item >> 56 == Self.mark >> 56, number < Self.numbers else {
                    QueueSoak.word(memory, .torn).add(1)
                    continue
                }
                if let last = last[sender], last >= number { QueueSoak.word(memory, .disorder).add(1) }
                last[sender] = number
                let bit = UInt64(1) << (number % 64)
                if !Self.set(bit, in: Self.bits(memory, Int(sender), Int(number))) {
                    QueueSoak.word(memory, .twice).add(1)
                }
                QueueSoak.word(memory, .received).add(1)
            }
        }
    }

    /// Returns `false` if it was set.
    private static func set(_ bit: UInt64, in word: SharedWord) -> Bool {
        var known = word.load()
        while known & bit == 0 {
            let (isDone, original) = word.compareExchange(expected: known, desired: known | bit)
            if isDone { return true }
            known = original
        }
        return false
    }

    /// How many numbers did not come though later ones of the same sender did.
    static func missing(_ memory: SharedPages, _ incarnations: Int) -> Int {
        var missing = 0
        for sender in 0..<min(incarnations + 1, senders) {
            var zeros = 0
            for number in stride(from: 0, to: numbers, by: 64) {
                let word = bits(memory, sender, number).load()
                guard word != 0 else {
                    zeros += 64
                    continue
                }
                let highest = 63 - word.leadingZeroBitCount
                missing += zeros + (highest + 1 - word.nonzeroBitCount)
                zeros = 63 - highest
            }
        }
        return missing
    }
}
