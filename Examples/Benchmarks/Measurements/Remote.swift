import Multiprocessing

/// How long calls take to an object of another program, by TCP.
struct Remote: Measurement {
    let name = "remote"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(10_000, quick: 200)
        summary = "\(count) calls to an actor of a server, by TCP over loopback; time of each"
    }

    var figures: [Figure] {
        [Figure(unit: .microseconds(per: count), peerCommand: "manager-tcp \(count)")]
    }

    func contestants() throws -> [Contestant] {
        let server = RemoteCounter()
        let listener = try LoopbackListener()
        let child = try ChildProcess(.tcp(listener.port))
        let socket = try listener.accept()
        return [
            Contestant(MeasuredBackend.processes.rawValue, .ours, [.processes]) {
                let counter = try await server.counter()
                let before = try await counter.add(0)
                let watch = Stopwatch()
                for _ in 0..<count { _ = try await counter.add(1) }
                let seconds = watch.seconds
                try check(try await counter.add(0) - before, count)
                return [seconds]
            }
            .closing { await server.close() },
            Contestant("64 bytes over TCP", .floor, [.processes]) {
                [try SocketPingPong.run(socket, count)]
            }
            .closing {
                socket.close()
                child.end()
            },
        ]
    }
}

/// A server in a process of its own, and a reference to what it offers; both made with the first run.
private actor RemoteCounter {
    private var process: Multiprocessing.ChildProcess<Void>?
    private var remote: RemoteManager?
    private var found: Counter?
    private var stop: SharedEvent?

    func counter() async throws -> Counter {
        if let found { return found }
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let (stop, addresses) = (try SharedEvent(), try SharedQueue<ManagerAddress>())
        process = try Multiprocessing.ChildProcess(.processes) {
            let server = try await ManagerServer(at: .tcp(host: "127.0.0.1", port: 0), key: secret)
            try await server.register("counter") { Counter(actorSystem: $0) }
            try await addresses.send(server.address)
            try await stop.wait()
            await server.shutDown()
        }
        let remote = try await Manager.connect(to: try await addresses.receive(), key: secret)
        let counter = try await remote.object("counter", as: Counter.self)
        (self.remote, self.stop, found) = (remote, stop, counter)
        return counter
    }

    func close() async {
        stop?.set()
        try? await process?.value
        (remote, found) = (nil, nil)
    }
}
