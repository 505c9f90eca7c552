import Distributed
import Glibc
import Multiprocessing
import TestSupport
import Testing

/// What a client saw.
private struct Refusal: Codable, Sendable {
    var code: String
    var message: String
    var noted: [Int]

    var parts: (String, String, [Int]) { (code, message, noted) }
}

/// A server in this process, and clients in others.
@Suite("Servers of actors, and programs that connect to them", .admitted)
struct ServerTests {
    private static let key = try! ManagerKey("the key of these tests, long enough")

    private static func makeServer(_ limits: ManagerServer.Limits = .init()) async throws -> ManagerServer {
        try await ManagerServer(at: .tcp(host: "127.0.0.1", port: 0), key: key, limits: limits)
    }

    /// Runs a body in another process, which connects first.
    private static func inClient<Value: Codable & Sendable>(
        of server: ManagerServer,
        _ body: @escaping @Sendable (RemoteManager) async throws -> Value
    ) async throws -> Value {
        let address = server.address
        let child = try ChildProcess(.processes) {
            try await body(
                try await Manager.connect(to: address, key: ManagerKey("the key of these tests, long enough")))
        }
        return try await child.value
    }

    @Test("Test 198, 200: an object is registered, found by its name, and called from another process")
    func remote() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            try await server.register("tally") { Tally(actorSystem: $0) }
            let sums = try await Self.inClient(of: server) { remote in
                let tally = try await remote.object("tally", as: Tally.self)
                return [try await tally.add(2), try await tally.add(3)]
            }
            #expect(sums == [2, 5])
            // The same object for all who ask for it.
            try await expect(5) {
                try await Self.inClient(of: server) { try await $0.object("tally", as: Tally.self).current() }
            }
            await server.shutDown()
        }
    }

    @Test("Shared state does not travel to a server, which is said by name, and the connection goes on")
    func sharedState() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            try await server.register("servant") { Servant(actorSystem: $0) }
            let (code, message, noted) = try await Self.inClient(of: server) { remote in
                let servant = try await remote.object("servant", as: Servant.self)
                var refusal: PoolError?
                do {
                    try await servant.lock(SharedLock())
                } catch let error as PoolError {
                    refusal = error
                }
                try await servant.note(3)
                return Refusal(
                    code: "\(String(describing: refusal?.code))", message: refusal?.message ?? "",
                    noted: try await servant.noted())
            }.parts
            #expect(code == "Optional(notPortable)" && message.contains("shared state"), "\(code): \(message)")
            #expect(noted == [3])
            await server.shutDown()
        }
    }

    @Test("A program can connect to its own server")
    func own() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            try await server.register("list") { ManagedArray<Int>(actorSystem: $0) }
            let remote = try await Manager.connect(to: server.address, key: Self.key)
            let list = try await remote.object("list", as: ManagedArray<Int>.self)
            try await list.append(4)
            try await expect([4]) { try await list.elements }
            try await expect([4, 5]) {
                try await Self.inClient(of: server) { remote in
                    let list = try await remote.object("list", as: ManagedArray<Int>.self)
                    try await list.append(5)
                    return try await list.elements
                }
            }
            await server.shutDown()
        }
    }

    @Test("Errors arrive as themselves, or described")
    func errors() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            try await server.register("servant") { Servant(actorSystem: $0) }
            let texts = try await Self.inClient(of: server) { remote in
                let servant = try await remote.object("servant", as: Servant.self)
                var texts: [String] = []
                do { try await servant.fail(7) } catch let error as Trouble { texts.append("\(error)") }
                do { try await servant.failUnsendably() } catch let error as PoolError { texts.append("\(error.code)") }
                do { try await servant.failCancelled() } catch is CancellationError { texts.append("cancelled") }
                return texts
            }
            #expect(texts == ["big(7)", "remote", "cancelled"])
            await server.shutDown()
        }
    }

    @Test("What is refused across a network is refused by name, and what is there goes on")
    func refusals() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            try await server.register("servant") { Servant(actorSystem: $0) }
            try await server.register("table") { ManagedDictionary<String, Int>(actorSystem: $0) }
            let texts = try await Self.inClient(of: server) { remote in
                let servant = try await remote.object("servant", as: Servant.self)
                let table = try await remote.object("table", as: ManagedDictionary<String, Int>.self)
                var texts: [String] = []
                func note(_ body: () async throws -> Void) async {
                    do {
                        try await body()
                        texts.append("done")
                    } catch {
                        texts.append("\(error)")
                    }
                }
                await note { _ = try await servant.echo(1) }
                await note { try await table.update("a", default: 0) { $0 += 1 } }
                await note { _ = try await remote.object("nothing", as: Servant.self) }
                await note { _ = try await remote.object("table", as: Servant.self) }
                await note { try await servant.note(1) }
                return texts
            }
            #expect(texts.count == 5)
            #expect(texts[0].contains("no generic ones"), "\(texts[0])")
            #expect(texts[1].contains("a closure cannot be sent to another program"), "\(texts[1])")
            #expect(texts[2].contains("nothing under the name nothing; it offers servant, table"), "\(texts[2])")
            #expect(texts[3].contains("is a Multiprocessing.ManagedDictionary<Swift.String, Swift.Int>"), "\(texts[3])")
            #expect(texts[4] == "done")
            await server.shutDown()
        }
    }

    @Test("References to the server's actors travel to and from it, and to the client's workers")
    func references() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            try await server.register("shelf") { ManagedDictionary<String, ManagedArray<Int>>(actorSystem: $0) }
            try await server.register("first") { ManagedArray<Int>([1], actorSystem: $0) }
            let result = try await Self.inClient(of: server) { remote in
                let shelf = try await remote.object("shelf", as: ManagedDictionary<String, ManagedArray<Int>>.self)
                let first = try await remote.object("first", as: ManagedArray<Int>.self)
                try await shelf.set("a", first)
                guard let found = try await shelf.get("a") else { return [-1] }
                guard found.id == first.id else { return [-2] }
                // From processes that have not connected themselves.
                return try await withPool(.processes, workers: 2) { pool in
                    try await pool.forEach(2...5) { try await found.append($0) }
                    return try await found.elements.sorted()
                }
            }
            #expect(result == [1, 2, 3, 4, 5])
            await server.shutDown()
        }
    }

    @Test("An actor that lives elsewhere does not travel: not to the server, and not from it")
    func elsewhere() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let manager = try await Manager(.processes)
            let inside = try await manager.array(of: Int.self)
            try await server.register("shelf") { ManagedDictionary<String, ManagedArray<Int>>(actorSystem: $0) }
            let remote = try await Manager.connect(to: server.address, key: Self.key)
            let shelf = try await remote.object("shelf", as: ManagedDictionary<String, ManagedArray<Int>>.self)
            try await shelf.set("inside", inside)
            let texts = try await Self.inClient(of: server) { remote in
                let shelf = try await remote.object("shelf", as: ManagedDictionary<String, ManagedArray<Int>>.self)
                var texts: [String] = []
                do { _ = try await shelf.get("inside") } catch { texts.append("\(error)") }
                let own = ManagedArray<Int>(actorSystem: .shared)
                do { try await shelf.set("own", own) } catch { texts.append("\(error)") }
                return texts
            }
            #expect(texts.count == 2)
            #expect(texts.first?.contains("lives in another process than the server's") == true, "\(texts)")
            #expect(texts.last?.contains("does not live at the server") == true, "\(texts)")
            #expect(throws: PoolError.self) { try server.register("inside", inside) }
            await manager.shutDown()
            await server.shutDown()
        }
    }

    @Test("BEHAVIOURS 199: another key is refused by both ends, before anything is decoded")
    func wrongKey() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let other = ManagerKey.random()
            let error = await #expect(throws: ActorCallError.self) {
                _ = try await Manager.connect(to: server.address, key: other)
            }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("another key") == true)
            // The right one is let in right after.
            _ = try await Manager.connect(to: server.address, key: Self.key)
            await server.shutDown()
        }
    }

    @Test("Nobody there, somebody else there, and one who says nothing are told apart")
    func noServer() async throws {
        try await withLimit {
            let silent = try Listener()
            let error = await #expect(throws: ActorCallError.self) {
                _ = try await Manager.connect(to: silent.address, key: Self.key, timeout: .milliseconds(100))
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("within") == true)
            let gone = silent.address
            silent.close()
            let refused = await #expect(throws: ActorCallError.self) {
                _ = try await Manager.connect(to: gone, key: Self.key)
            }
            #expect(refused?.code == .unavailable)
            let talker = try Listener(saying: "SSH-2.0-OpenSSH_9.6p1 and so on, and so on, and so on, and so on")
            let stranger = await #expect(throws: ActorCallError.self) {
                _ = try await Manager.connect(to: talker.address, key: Self.key)
            }
            #expect(stranger?.code == .refused)
            #expect(stranger?.message.contains("no ManagerServer") == true)
            talker.close()
            await #expect(throws: PoolError.self) {
                _ = try await Manager.connect(to: .tcp(host: "no.such.host.invalid", port: 1), key: Self.key)
            }
            await #expect(throws: PoolError.self) {
                _ = try await Manager.connect(to: .tcp(host: "127.0.0.1", port: 70_000), key: Self.key)
            }
            // One who is cancelled waits no longer.
            let waiter = try Listener()
            let task = Task { try await Manager.connect(to: waiter.address, key: Self.key) }
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            waiter.close()
        }
    }

    @Test("A server that ends fails what is under way in doubt, and what comes later as not begun")
    func serverEnds() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let servant = Servant(actorSystem: .shared)
            try server.register("servant", servant)
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            let client = Task {
                try await Self.inClient(of: server) { remote in
                    let servant = try await remote.object("servant", as: Servant.self)
                    var found: [Bool] = []
                    do { try await servant.wait() } catch let error as ActorCallError { found.append(error.isInDoubt) }
                    do { try await servant.note(1) } catch let error as ActorCallError { found.append(error.isInDoubt) }
                    ticket.arrive()
                    return found
                }
            }
            try await expectSoonAsync { try await servant.waitingCount() == 1 }
            await server.shutDown()
            await rendezvous.expectArrivals(1)
            try await expect([true, false]) { try await client.value }
            _ = try await servant.release()
            // The port is free again.
            let next = try await ManagerServer(at: server.address, key: Self.key)
            await next.shutDown()
            let refusal = await #expect(throws: PoolError.self) {
                try await server.register("x") { Tally(actorSystem: $0) }
            }
            #expect(refusal?.code == .shutDown)
        }
    }

    @Test("A client that is killed lets go of what it held, and its calls are cancelled")
    func clientKilled() async throws {
        try await withLimit {
            let server = try await Self.makeServer()
            let servant = Servant(actorSystem: .shared)
            try server.register("servant", servant)
            let address = server.address
            let child = try ChildProcess(.processes) {
                let remote = try await Manager.connect(
                    to: address, key: ManagerKey("the key of these tests, long enough"))
                try await remote.object("servant", as: Servant.self).waitUntilCancelled()
            }
            try await expectSoonAsync { try await servant.sleepingCount() == 1 }
            child.kill()
            try await expectSoonAsync { try await servant.cancelledCount() == 1 }
            await server.shutDown()
        }
    }

    @Test("A Unix socket is its user's alone, and its file goes with the server")
    func unixSocket() async throws {
        try await withLimit {
            let path = "/tmp/server-\(getpid())-\(UInt32.random(in: 0...(.max)))"
            let server = try await ManagerServer(at: .unix(path), key: Self.key)
            #expect(server.address == .unix(path))
            var facts = stat()
            #expect(stat(path, &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
            try await server.register("tally") { Tally(actorSystem: $0) }
            try await expect(1) {
                try await Self.inClient(of: server) { try await $0.object("tally", as: Tally.self).add(1) }
            }
            let second = await #expect(throws: PoolError.self) {
                _ = try await ManagerServer(at: .unix(path), key: Self.key)
            }
            #expect(second?.code == .invalidArgument)
            await server.shutDown()
            #expect(access(path, F_OK) != 0)
            // What a killed one leaves behind is replaced.
            let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            close(left)
            #expect(bound == 0)
            let third = try await ManagerServer(at: .unix(path), key: Self.key)
            await third.shutDown()
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test("A path at which there is something else than a socket is refused, and left as it is")
    func otherFile() async throws {
        let path = "/tmp/server-file-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        #expect(write(file, "text", 4) == 4)
        close(file)
        defer { unlink(path) }
        let error = await #expect(throws: PoolError.self) {
            _ = try await ManagerServer(at: .unix(path), key: Self.key)
        }
        #expect(error?.code == .invalidArgument)
        #expect(ProcessFacts.contents(path) == "text")
    }

    @Test("An actor that was offered before can be offered again")
    func offeredAgain() async throws {
        try await withLimit {
            let tally = Tally(actorSystem: .shared)
            for sum in 1...2 {
                let server = try await Self.makeServer()
                try server.register("tally", tally)
                #expect(throws: PoolError.self) { try server.register("tally", tally) }
                try await expect(sum) {
                    try await Self.inClient(of: server) { try await $0.object("tally", as: Tally.self).add(1) }
                }
                await server.shutDown()
            }
        }
    }

    @Test("A key is long, comes from a file of its user's alone, and is in no text")
    func keys() throws {
        let path = "/tmp/key-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        defer { unlink(path) }
        func write(_ bytes: [UInt8], mode: mode_t) throws {
            unlink(path)
            let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
            try #require(file >= 0)
            try #require(Glibc.write(file, bytes, bytes.count) == bytes.count)
            fchmod(file, mode)
            close(file)
        }
        func refusal() -> String {
            (#expect(throws: PoolError.self) { _ = try ManagerKey(contentsOf: path) })?.message ?? ""
        }
        #expect(refusal().contains("No such file"))
        try write(Array(repeating: 1, count: 32), mode: 0o644)
        #expect(refusal().contains("chmod 600 \(path)"))
        try write(Array(repeating: 1, count: 15), mode: 0o600)
        #expect(refusal().contains("at least 16 bytes"))
        try write(Array(repeating: 1, count: 5_000), mode: 0o600)
        #expect(refusal().contains("at most 4096"))
        try write(Array(repeating: 65, count: 32), mode: 0o600)
        let key = try ManagerKey(contentsOf: path)
        #expect("\(key)" == "a key of 32 bytes")
        #expect(!String(reflecting: key).contains("65"))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("65"))
        unlink(path)
        try #require(mkfifo(path, 0o600) == 0)
        #expect(refusal().contains("no regular file"))
        #expect(throws: PoolError.self) { _ = try ManagerKey("short") }
    }
}
