import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

/// A few kills in CI; `MULTIPROCESSING_KILLS=100000` for a long soak.
private let kills = getenv("MULTIPROCESSING_KILLS").flatMap { Int(String(cString: $0)) } ?? 40

@Suite("Processes that are killed with a queue", .serialized, .admitted)
struct QueueKillTests {
    @Test("No item is torn, there twice, out of order or left behind", arguments: QueueSoak.Kind.allCases)
    func soak(_ kind: QueueSoak.Kind) async throws {
        let memory = try QueueSoak.makeMemory()
        let soak = try QueueSoak(memory, kind)
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
        let missing = QueueSoak.missing(memory, kills.incarnations)
        #expect(missing <= kills.receivers * QueueSoak.batch, "seed \(kills.seed)")
    }
}

/// The kills of a soak: of four processes, two that send and two that receive.
struct QueueKills {
    let seed: UInt64
    var incarnations = 0
    /// How many of the processes that were killed received.
    var receivers = 0

    /// Kills one or another again and again, and starts it anew; then has what is left received.
    ///
    /// - Parameters:
    ///   - memory: Where the processes say who they are, and how much they have received.
    ///   - start: Starts the process with an index, those that send at even ones; no other is given the second number.
    static func run(
        _ memory: SharedPages, start: (Int, Int) -> Future<Void>, closing close: () -> Void
    ) async throws -> QueueKills {
        var result = QueueKills(seed: UInt64.random(in: 0...UInt64.max))
        let seed = result.seed
        var random = RandomSource(seed: seed)
        func word(_ place: QueueSoak.Place, _ index: Int = 0) -> SharedWord { QueueSoak.word(memory, place, index) }
        func begin(_ index: Int) -> Future<Void> {
            result.incarnations += 1
            return start(index, result.incarnations)
        }
        func end(_ index: Int) async {
            await expectSoon("seed \(seed): no process \(index)") { word(.process, index).load() != 0 }
            usleep(UInt32.random(in: 0..<3_000, using: &random))
            kill(pid_t(word(.process, index).load()), SIGKILL)
            word(.process, index).store(0)
        }
        var futures = (0..<4).map(begin)
        for _ in 0..<kills {
            let index = Int.random(in: 0..<4, using: &random)
            await end(index)
            await #expect(throws: PoolError.self) { try await futures[index].value }
            result.receivers += index % 2
            let received = word(.received).load()
            futures[index] = begin(index)
            await expectSoon("seed \(seed): nothing moves") { word(.received).load() > received }
        }
        for index in [0, 2] {
            await end(index)
            await #expect(throws: PoolError.self) { try await futures[index].value }
        }
        close()
        try await futures[1].value
        try await futures[3].value
        print(
            "\(kills) kills, \(word(.received).load()) items received, with \(result.receivers) receivers killed")
        return result
    }
}

/// Processes that send and receive checked items until they are killed, and what they find.
struct QueueSoak: Codable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// Few and small ones, through one segment.
        case bounded
        /// Of all sizes, through segments of several sizes.
        case growing
    }

    struct Item: Codable, Sendable {
        let sender: Int
        let number: Int
        let seed: UInt8
        let bytes: [UInt8]
    }

    /// A place for a number that all processes see.
    enum Place: Int {
        case torn, twice, disorder, received
        case process
    }

    static let batch = 8
    private static let senders = 1 << 10
    private static let numbers = 1 << 16
    private static let headSize = 4_096

    let queue: SharedQueue<Item>
    let isGrowing: Bool
    /// The memory is found by the path of the test's descriptor.
    private let path: String

    static func makeMemory() throws -> SharedPages {
        try SharedPages(size: headSize + senders * numbers / 8)
    }

    init(_ memory: SharedPages, _ kind: Kind) throws {
        isGrowing = kind == .growing
        queue = try isGrowing ? SharedQueue(byteLimit: 8 << 20) : SharedQueue(capacity: 20, byteLimit: 1 << 18)
        path = "/proc/\(getpid())/fd/\(memory.descriptor.number.rawValue)"
    }

    static func word(_ memory: SharedPages, _ place: Place, _ index: Int = 0) -> SharedWord {
        SharedWord(memory, at: 64 * (place.rawValue + index))
    }

    private static func bits(_ memory: SharedPages, _ sender: Int, _ number: Int) -> SharedWord {
        SharedWord(memory, at: headSize + ((sender % senders) * numbers + number) / 64 * 8)
    }

    func open() throws -> SharedPages {
        let number = Glibc.open(path, O_RDWR | O_CLOEXEC)
        try #require(number >= 0)
        return try SharedPages(mapping: FileDescriptor(adopting: DescriptorNumber(rawValue: number)))
    }

    /// Goes on until the process is killed.
    func send(_ index: Int, as sender: Int) async throws {
        let memory = try open()
        for number in stride(from: 0, to: QueueSoak.numbers, by: 64) { QueueSoak.bits(memory, sender, number).store(0) }
        QueueSoak.word(memory, .process, index).store(UInt64(getpid()))
        var random = RandomSource(seed: UInt64(sender))
        var number = 0
        while number < QueueSoak.numbers - QueueSoak.batch {
            // There is one to send for as long as it lives.
            if number > QueueSoak.numbers / 2 { usleep(5_000) }
            var items: [Item] = []
            for _ in 0..<Int.random(in: 1...QueueSoak.batch, using: &random) {
                let isLarge = isGrowing && Int.random(in: 0..<50, using: &random) == 0
                let seed = UInt8.random(in: 0...255, using: &random)
                let size = Int.random(in: 0..<(isLarge ? 400_000 : 3_000), using: &random)
                items.append(Item(sender: sender, number: number, seed: seed, bytes: Self.bytes(seed, size)))
                number += 1
            }
            if items.count == 1 { try await queue.send(items[0]) } else { try await queue.send(contentsOf: items) }
        }
        while true { pause() }
    }

    private static func bytes(_ seed: UInt8, _ size: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { room, count in
            // Another byte every 16, so that what comes from elsewhere shows.
            if let start = room.baseAddress { memset(start, Int32(seed), size) }
            for place in stride(from: 0, to: size, by: 16) {
                room[place] = UInt8(truncatingIfNeeded: place >> 4) ^ seed
            }
            count = size
        }
    }

    /// Goes on until the process is killed or the queue is closed.
    func receive(_ index: Int) async throws {
        let memory = try open()
        QueueSoak.word(memory, .process, index).store(UInt64(getpid()))
        var last: [Int: Int] = [:]
        var isSingle = false
        while true {
            let items: [Item]
            do {
                isSingle.toggle()
                items = isSingle ? [try await queue.receive()] : try await queue.receive(atMost: QueueSoak.batch)
            } catch let error as SharedStateError where error.code == .closed {
                return
            }
            for item in items {
                if item.bytes != Self.bytes(item.seed, item.bytes.count) { QueueSoak.word(memory, .torn).add(1) }
                if let last = last[item.sender], last >= item.number { QueueSoak.word(memory, .disorder).add(1) }
                last[item.sender] = item.number
                let word = QueueSoak.bits(memory, item.sender, item.number)
                let bit = UInt64(1) << UInt64(item.number % 64)
                var known = word.load()
                while true {
                    if known & bit != 0 {
                        QueueSoak.word(memory, .twice).add(1)
                        break
                    }
                    let (isDone, original) = word.compareExchange(expected: known, desired: known | bit)
                    if isDone { break }
                    known = original
                }
                QueueSoak.word(memory, .received).add(1)
            }
        }
    }

    /// How many items did not come though later ones of the same sender did.
    static func missing(_ memory: SharedPages, _ incarnations: Int) -> Int {
        var missing = 0
        for sender in 0..<min(incarnations + 1, senders) {
            var zeros = 0
            for number in stride(from: 0, to: numbers, by: 64) {
                let word = bits(memory, sender, number).load()
                for bit in 0..<64 {
                    if word >> UInt64(bit) & 1 == 1 {
                        missing += zeros
                        zeros = 0
                    } else {
                        zeros += 1
                    }
                }
            }
        }
        return missing
    }
}
