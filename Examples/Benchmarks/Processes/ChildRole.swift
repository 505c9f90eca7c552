import Glibc

/// What this executable does when a measurement starts it: the other backend of a floor, for example.
enum ChildRole {
    /// Sends back what it is sent, 64 bytes at a time.
    case ping
    /// The same, over a connection to a port on loopback.
    case tcp(Int)
    /// Sends back what it is sent, when so many bytes are complete.
    case stream(Int)
    /// Waits, having done nothing.
    case idle
    /// Tells how much memory queued work takes: items, and futures kept of them or not.
    case queue(MeasuredBackend, items: Int, keepsFutures: Bool)

    private static let flag = "--as-child"

    /// nil for the command line of a user.
    init?(_ arguments: [String]) {
        guard arguments.count >= 2, arguments[0] == Self.flag else { return nil }
        let rest = Array(arguments.dropFirst(2))
        switch arguments[1] {
        case "ping":
            self = .ping
        case "tcp":
            guard let port = rest.first.flatMap({ Int($0) }) else { return nil }
            self = .tcp(port)
        case "stream":
            guard let count = rest.first.flatMap({ Int($0) }) else { return nil }
            self = .stream(count)
        case "idle":
            self = .idle
        case "queue":
            guard rest.count == 3, let backend = MeasuredBackend(rawValue: rest[0]), let items = Int(rest[1]) else {
                return nil
            }
            self = .queue(backend, items: items, keepsFutures: rest[2] == "kept")
        default:
            return nil
        }
    }

    /// The command line that makes a child take this role.
    var arguments: [String] {
        switch self {
        case .ping: [Self.flag, "ping"]
        case .tcp(let port): [Self.flag, "tcp", "\(port)"]
        case .stream(let count): [Self.flag, "stream", "\(count)"]
        case .idle: [Self.flag, "idle"]
        case .queue(let backend, let items, let keepsFutures):
            [Self.flag, "queue", backend.rawValue, "\(items)", keepsFutures ? "kept" : "dropped"]
        }
    }

    func play() async -> Never {
        let socket = Socket(descriptor: STDIN_FILENO)
        do {
            switch self {
            case .ping:
                try echo(socket, count: 64)
            case .tcp(let port):
                try echo(LoopbackListener.connect(port), count: 64)
            case .stream(let count):
                try echo(socket, count: count)
            case .idle:
                _ = try socket.receiveLine()
            case .queue(let backend, let items, let keepsFutures):
                let bytes = try await QueuedWork.bytes(backend, items: items, keepsFutures: keepsFutures)
                try socket.send(line: "\(bytes)")
            }
        } catch {
            Complaint.print("as a child: \(error)")
            exit(1)
        }
        exit(0)
    }

    private func echo(_ socket: Socket, count: Int) throws {
        var buffer = [UInt8](repeating: 1, count: count)
        try buffer.withUnsafeMutableBytes { bytes in
            while try socket.receive(bytes) {
                try socket.send(UnsafeRawBufferPointer(bytes))
            }
        }
    }
}
