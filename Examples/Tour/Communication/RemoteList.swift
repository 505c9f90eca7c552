import Multiprocessing

/// A list that a server offers to whoever has the key, and a client that finds it by its name.
enum RemoteList: Program {
    static let about = "a server with address, key and registry, and a client"

    static func run(on stage: Stage) async throws {
        let key = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let (addresses, isOver) = (try SharedQueue<ManagerAddress>(), try SharedEvent())
        let server = try ChildProcess(stage.backend) { try await serve(key, addresses, until: isOver) }
        let lists = try await use(try await addresses.receive(), key)
        isOver.set()
        try await server.value
        try expect(lists, is: [[], [1]], "the list before and after")
    }

    private static func serve(_ key: [UInt8], _ addresses: SharedQueue<ManagerAddress>, until end: SharedEvent)
        async throws
    {
        let server = try await ManagerServer(at: .tcp(host: "127.0.0.1", port: 0), key: key)
        try await server.register("list") { ManagedArray<Int>(actorSystem: $0) }
        try await addresses.send(server.address)
        try await end.wait()
        await server.shutDown()
    }

    private static func use(_ address: ManagerAddress, _ key: [UInt8]) async throws -> [[Int]] {
        let remote = try await Manager.connect(to: address, key: key)
        let list = try await remote.object("list", as: ManagedArray<Int>.self)
        let before = try await list.elements
        say("\(before)")
        try await list.append(1)
        let after = try await remote.object("list", as: ManagedArray<Int>.self).elements
        say("\(after)")
        return [before, after]
    }
}
