import Distributed
import Glibc
import MultiprocessingCoding
import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

/// What a server has to bear from the network.
@Suite("Faults between servers and clients", .admitted)
struct ServerFaultTests {
    private static let key = Array("the key of these tests, long enough".utf8)

    private static func makeServer(_ limits: ManagerServer.Limits = .init()) async throws -> ManagerServer {
        try await ManagerServer(at: .tcp(host: "127.0.0.1", port: 0), key: key, limits: limits)
    }

    /// How often chance is tried; more by the environment.
    private static func rounds(_ short: Int) -> Int {
        getenv("MULTIPROCESSING_ROUNDS").flatMap { Int(String(cString: $0)) } ?? short
    }

    @Test("A thousand who say nothing are let go of, and keep nobody out for longer than that takes")
    func silentVisitors() async throws {
        try await withLimit {
            var limits = ManagerServer.Limits()
            limits.unprovedConnections = 50
            limits.proofTimeout = .milliseconds(300)
            let server = try await Self.makeServer(limits)
            let visitors = try await onBlockableThread { try (0..<1_000).map { _ in try Visitor(server.address) } }
            var remote: RemoteManager?
            let clock = ContinuousClock()
            let deadline = clock.now + .seconds(100)
            while remote == nil, clock.now < deadline {
                remote = try? await Manager.connect(to: server.address, key: Self.key)
            }
            #expect(remote != nil)
            await expectSoon { server.connectionCount == 1 }
            remote = nil
            await expectSoon { server.connectionCount == 0 }
            for visitor in visitors { visitor.close() }
            await server.shutDown()
        }
    }

    @Test("Connections that end without a proof leave no descriptor behind, however long a proof may take")
    func shortVisits() async throws {
        try await withLimit {
            var limits = ManagerServer.Limits()
            limits.proofTimeout = .seconds(10_000)
            let server = try await Self.makeServer(limits)
            let before = ProcessFacts.descriptorCount
            try await onBlockableThread {
                for _ in 0..<600 {
                    let visitor = try Visitor(server.address)
                    #expect(visitor.hear(44).count == 44)
                    visitor.close()
                }
            }
            await expectSoon { server.connectionCount == 0 }
            // Other tests have descriptors too.
            await expectSoon { ProcessFacts.descriptorCount < before + 300 }
            await server.shutDown()
        }
    }

    @Test("More connections than the limit are turned away, and there is room again when others end")
    func connectionLimit() async throws {
        try await withLimit {
            var limits = ManagerServer.Limits()
            limits.connections = 2
            let server = try await Self.makeServer(limits)
            let first = try await Client(server.address, Self.key)
            let second = try await Client(server.address, Self.key)
            let error = await #expect(throws: ActorCallError.self) {
                _ = try await Manager.connect(to: server.address, key: Self.key)
            }
            #expect(error?.code == .unavailable)
            first.visitor.close()
            await expectSoon { server.connectionCount == 1 }
            _ = try await Client(server.address, Self.key)
            second.visitor.close()
            await server.shutDown()
        }
    }

    @Test("Who has no key changes nothing, whatever it sends")
    func damagedProofs() async throws {
        let rounds = Self.rounds(300)
        try await withLimit {
            let server = try await Self.makeServer()
            let tally = Tally(actorSystem: .shared)
            try server.register("tally", tally)
            let script = try await Self.record(server)
            try await onBlockableThread {
                var random = RandomSource(seed: 4_711)
                for _ in 0..<rounds {
                    let visitor = try Visitor(server.address)
                    visitor.say(random.damage(script))
                    visitor.finish()
                    // The challenge, a refusal at most, and the end.
                    #expect(visitor.hear(1 << 16).count <= 44 + 48)
                }
            }
            try await expect(6) { try await tally.current() }
            await expectSoon { server.connectionCount == 0 }
            await server.shutDown()
        }
    }

    @Test("Frames that are cut, flipped or left out on their way end the connection, and are not looked at")
    func damagedFrames() async throws {
        let rounds = Self.rounds(300)
        try await withLimit {
            let server = try await Self.makeServer()
            let tally = Tally(actorSystem: .shared)
            try server.register("tally", tally)
            let frames = Recorded(try await Self.record(server)).frames
            let memory = Self.memoryInPages
            var random = RandomSource(seed: 815)
            var last = try await tally.current()
            for _ in 0..<rounds {
                let client = try await Client(server.address, Self.key)
                var bytes = client.sealed(frames)
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let damage = random.damage(Array(bytes[place...]))
                bytes.replaceSubrange(place..., with: damage)
                let said = bytes
                try await onBlockableThread {
                    client.visitor.say(said)
                    client.visitor.finish()
                    while !client.visitor.hearSome().isEmpty {}
                }
                // The three additions count as far as they were whole, and no other number is ever added.
                let sum = try await tally.current()
                #expect([0, 1, 3, 6].contains(sum - last))
                last = sum
            }
            await expectSoon { server.connectionCount == 0 }
            // In pages of 4 KiB; other tests use memory too.
            #expect(Self.memoryInPages - memory < (4 << 30) / 4_096)
            await server.shutDown()
        }
    }

    @Test("Whatever one says who has the key, the server goes on")
    func malice() async throws {
        let rounds = Self.rounds(1_000)
        try await withLimit {
            let server = try await Self.makeServer()
            let tally = Tally(actorSystem: .shared)
            try server.register("tally", tally)
            let frames = Recorded(try await Self.record(server)).frames
            var random = RandomSource(seed: 4_242)
            for _ in 0..<rounds {
                let client = try await Client(server.address, Self.key)
                var changed = frames
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let index = Int.random(in: changed.indices, using: &random)
                    let place = Int.random(in: changed[index].indices, using: &random)
                    changed[index][place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                let bytes = client.sealed(changed)
                try await onBlockableThread {
                    client.visitor.say(bytes)
                    client.visitor.finish()
                    while !client.visitor.hearSome().isEmpty {}
                }
            }
            await expectSoon { server.connectionCount == 0 }
            let remote = try await Manager.connect(to: server.address, key: Self.key)
            let found = try await remote.object("tally", as: Tally.self)
            let (sum, known) = (try await found.add(0), try await tally.current())
            #expect(sum == known)
            await server.shutDown()
        }
    }

    private static var memoryInPages: Int {
        ProcessFacts.contents("/proc/self/statm").split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    @Test("A connection that is cut amid a call fails it in doubt, and the next call connects anew")
    func cutConnections() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let servant = Servant(actorSystem: .shared)
            try server.register("servant", servant)
            let relay = try Relay(to: server.address)
            let (address, key) = (relay.address, Self.key)
            let child = try ChildProcess(.processes) {
                let remote = try await Manager.connect(to: address, key: key)
                let servant = try await remote.object("servant", as: Servant.self)
                var found: [String] = []
                do { try await servant.wait() } catch let error as ActorCallError {
                    found.append("\(error.code) \(error.isInDoubt)")
                }
                try await servant.note(3)
                return found
            }
            try await expectSoonAsync { try await servant.waitingCount() == 1 }
            relay.cut()
            try await expect(["hostGone true"]) { try await child.value }
            try await expect([3]) { try await servant.noted() }
            _ = try await servant.release()
            relay.close()
            await server.shutDown()
        }
    }

    @Test("References go on after a connection was cut, and letting go of one disturbs nothing")
    func referencesAfterCut() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let servant = Servant(actorSystem: .shared)
            try server.register("servant", servant)
            let relay = try Relay(to: server.address)
            let (address, key) = (relay.address, Self.key)
            let child = try ChildProcess(.processes) {
                let remote = try await Manager.connect(to: address, key: key)
                let servant = try await remote.object("servant", as: Servant.self)
                let kept = try await servant.makeTally()
                var dropped: Tally? = try await servant.makeTally()
                var sums = [try await kept.add(1), try await dropped?.add(5) ?? -1]
                do { try await servant.wait() } catch is ActorCallError {}
                sums.append(try await kept.add(1))
                dropped = nil
                for _ in 0..<20 { sums.append(try await kept.add(1)) }
                return sums
            }
            try await expectSoonAsync { try await servant.waitingCount() == 1 }
            relay.cut()
            try await expect([1, 5] + Array(2...22)) { try await child.value }
            _ = try await servant.release()
            relay.close()
            await server.shutDown()
        }
    }

    @Test("A message that is too large is refused before it is sent, or as a result, and disturbs no other call")
    func largeMessages() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let box = ManagedValue<[UInt8]>([], actorSystem: .shared)
            try server.register("box", box)
            let (address, key) = (server.address, Self.key)
            let child = try ChildProcess(.processes) {
                let remote = try await Manager.connect(to: address, key: key)
                let box = try await remote.object("box", as: ManagedValue<[UInt8]>.self)
                try await box.set([UInt8](repeating: 1, count: 1 << 20))
                var texts = ["\(try await box.get().count)"]
                do {
                    try await box.set([UInt8](repeating: 1, count: 65 << 20))
                } catch let error as ActorCallError {
                    texts.append("\(error.code) \(error.isInDoubt)")
                }
                texts.append("\(try await box.get().count)")
                return texts
            }
            try await expect(["\(1 << 20)", "refused false", "\(1 << 20)"]) { try await child.value }
            try await box.set([UInt8](repeating: 1, count: 65 << 20))
            let reader = try ChildProcess(.processes) {
                let remote = try await Manager.connect(to: address, key: key)
                let box = try await remote.object("box", as: ManagedValue<[UInt8]>.self)
                do {
                    return "\(try await box.get().count)"
                } catch let error as ActorCallError {
                    return "\(error.code)"
                }
            }
            try await expect("refused") { try await reader.value }
            await server.shutDown()
        }
    }

    @Test("Bytes that come one at a time are the same as others")
    func slowBytes() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let tally = Tally(actorSystem: .shared)
            try server.register("tally", tally)
            let relay = try Relay(to: server.address, pieceSize: 1)
            let (address, key) = (relay.address, Self.key)
            let child = try ChildProcess(.processes) {
                let remote = try await Manager.connect(to: address, key: key)
                return try await remote.object("tally", as: Tally.self).add(4)
            }
            try await expect(4) { try await child.value }
            relay.close()
            await server.shutDown()
        }
    }

    @Test("What was said on one connection is worth nothing on another")
    func replay() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let tally = Tally(actorSystem: .shared)
            try server.register("tally", tally)
            let said = try await Self.record(server)
            for bytes in [said, Array(said.dropFirst(Client.proofSize))] {
                let visitor = try Visitor(server.address)
                try await onBlockableThread {
                    visitor.say(bytes)
                    visitor.finish()
                    while !visitor.hearSome().isEmpty {}
                }
                let client = try await Client(server.address, Self.key)
                try await onBlockableThread {
                    client.visitor.say(bytes)
                    client.visitor.finish()
                    while !client.visitor.hearSome().isEmpty {}
                }
            }
            try await expect(6) { try await tally.current() }
            await server.shutDown()
        }
    }

    @Test("One who guesses the number of an actor, or names another's method, gets nothing")
    func guesses() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let tally = Tally(actorSystem: .shared)
            let servant = Servant(actorSystem: .shared)
            try server.register("tally", tally)
            try server.register("servant", servant)
            let frames = Recorded(try await Self.record(server)).frames
            let number = withUnsafeBytes(of: tally.id.number.littleEndian) { Array($0) }
            let other = withUnsafeBytes(of: servant.id.number.littleEndian) { Array($0) }
            let guess = withUnsafeBytes(of: tally.id.number.littleEndian &+ 1) { Array($0) }
            let type = Array("ActorTests.Tally".utf8)
            for (change, with) in [(number, guess), (number, other), (type, Array("ActorTests.Taxxy".utf8))] {
                let changed = frames.map { $0.replacing(change, with: with) }
                #expect(changed != frames)
                let client = try await Client(server.address, Self.key)
                let bytes = client.sealed(changed)
                let refused = try await onBlockableThread {
                    client.visitor.say(bytes)
                    client.visitor.finish()
                    return client.refusalCount()
                }
                #expect(refused >= 3)
            }
            try await expect(6) { try await tally.current() }
            await server.shutDown()
        }
    }

    /// What a client says that finds the tally and adds to it three times, from its proof on.
    private static func record(_ server: ManagerServer) async throws -> [UInt8] {
        let relay = try Relay(to: server.address)
        let (address, key) = (relay.address, key)
        let child = try ChildProcess(.processes) {
            let remote = try await Manager.connect(to: address, key: key)
            let tally = try await remote.object("tally", as: Tally.self)
            return [try await tally.add(1), try await tally.add(2), try await tally.add(3)]
        }
        try await expect([1, 3, 6]) { try await child.value }
        relay.close()
        return relay.said
    }
}

/// The frames that a client has sent behind its proof, without their seals.
private struct Recorded {
    let frames: [[UInt8]]

    init(_ said: [UInt8]) {
        frames = Self.split(Array(said.dropFirst(Client.proofSize))).filter { $0.count != FrameSeal.size }
    }

    static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var (frames, rest): ([[UInt8]], ArraySlice<UInt8>) = ([], bytes[...])
        while rest.count >= Frame.Header.size {
            let length = rest.dropFirst(8).prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0, length < 1 << 40 else { break }
            let size = Frame.Header.size + Frame.paddedLength(length)
            guard size <= rest.count else { break }
            frames.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return frames
    }
}

/// One who has the key, and speaks for itself.
private struct Client {
    let visitor: Visitor
    private let handshake: Handshake

    /// How many bytes a client's proof has.
    static let proofSize = 8 + 4 + 32 + 32

    init(_ address: ManagerAddress, _ key: [UInt8]) async throws {
        (visitor, handshake) = try await onBlockableThread {
            let visitor = try Visitor(address)
            var handshake = Handshake(as: .client, key: key)
            visitor.say(try handshake.take(visitor.hear(handshake.awaitedCount)).reply)
            let end = try handshake.take(visitor.hear(handshake.awaitedCount))
            try #require(end.isOver)
            return (visitor, handshake)
        }
    }

    /// Frames as they go out, each behind its seal; one whose length is wrong as it would be with that length.
    func sealed(_ frames: [[UInt8]]) -> [UInt8] {
        guard var seal = handshake.seals?.sending else { return [] }
        return frames.flatMap { frame in
            let buffer = ByteBuffer(capacity: frame.count)
            frame.withUnsafeBytes { buffer.append(contentsOf: $0) }
            // The seal is over what the header says; if that is no header or too much, nothing more can be right.
            let isHeader = Frame.Kind(rawValue: frame[0]) != nil && frame[1..<4].allSatisfy { $0 == 0 }
            guard isHeader, Recorded.split(frame).count == 1 else { return frame }
            return seal.seal(buffer).withUnsafeBytes { Array($0) } + frame
        }
    }

    /// Reads to the end; how many calls were refused.
    func refusalCount() -> Int { kinds().count { $0 == .refused } }

    private func kinds() -> [Frame.Kind] {
        var bytes: [UInt8] = []
        while true {
            let some = visitor.hearSome()
            if some.isEmpty { break }
            bytes += some
        }
        return Recorded.split(bytes).compactMap { Frame.Kind(rawValue: $0[0]) }
    }
}

/// Hands on bytes between clients and a server, and keeps what clients say.
private final class Relay: Sendable {
    private struct State {
        var said: [UInt8] = []
        var pairs: [(Visitor, Visitor)] = []
    }

    let address: ManagerAddress
    private let listener: Listener
    private let target: ManagerAddress
    private let pieceSize: Int
    private let state = Mutex(State())

    init(to target: ManagerAddress, pieceSize: Int = .max) throws {
        listener = try Listener()
        address = listener.address
        self.target = target
        self.pieceSize = pieceSize
        Thread.start { [self] in
            while let client = listener.accept() { serve(client) }
        }
    }

    var said: [UInt8] { state.withLock { $0.said } }

    /// Cuts all connections that there are.
    func cut() {
        let pairs = state.withLock { state in
            defer { state.pairs = [] }
            return state.pairs
        }
        for (client, server) in pairs {
            client.cut()
            server.cut()
        }
    }

    func close() {
        listener.close()
        cut()
    }

    private func serve(_ client: Visitor) {
        guard let server = try? Visitor(target) else { return client.cut() }
        state.withLock { $0.pairs.append((client, server)) }
        Thread.start { [self] in
            pass(client, server) { bytes in state.withLock { $0.said += bytes } }
        }
        Thread.start { [self] in pass(server, client) { _ in } }
    }

    private func pass(_ source: Visitor, _ sink: Visitor, _ note: ([UInt8]) -> Void) {
        while true {
            let bytes = source.hearSome()
            if bytes.isEmpty { break }
            note(bytes)
            for start in stride(from: 0, to: bytes.count, by: min(pieceSize, bytes.count)) {
                sink.say(Array(bytes[start...].prefix(pieceSize)))
            }
        }
        sink.finish()
    }
}

extension RandomSource {
    /// Flips a few bits, and cuts off what is behind some place, or takes out a piece, or neither.
    fileprivate mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &self) {
            bytes[Int.random(in: bytes.indices, using: &self)] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        }
        let place = Int.random(in: bytes.indices, using: &self)
        switch Int.random(in: 0..<3, using: &self) {
        case 0: bytes.removeSubrange(place...)
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &self)))
        default: break
        }
        return bytes
    }
}
