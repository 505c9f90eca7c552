import Glibc
import Multiprocessing
import Synchronization
import Testing

/// A socket of somebody who knows nothing of the library, connected to a server on loopback.
final class Visitor: Sendable {
    private let number: Mutex<Int32>

    init(_ address: ManagerAddress) throws {
        guard case .tcp(_, let port) = address else { throw Trouble.big(0) }
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(made >= 0)
        number = Mutex(made)
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var target = loopback(port)
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(made, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    init(adopting number: Int32) {
        self.number = Mutex(number)
    }

    deinit {
        close()
    }

    /// Sends bytes; returns whether all went out.
    @discardableResult
    func say(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The next bytes, fewer at the end; waits a minute at most.
    func hear(_ count: Int) -> [UInt8] {
        var heard: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: max(count, 1))
        while heard.count < count {
            let got = recv(raw, &buffer, count - heard.count, 0)
            guard got > 0 else { break }
            heard += buffer[..<got]
        }
        return heard
    }

    /// What is there, or comes next; nothing at the end.
    func hearSome() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let got = recv(raw, &buffer, buffer.count, 0)
        return got > 0 ? Array(buffer[..<got]) : []
    }

    /// Says that no more comes.
    func finish() {
        shutdown(raw, Int32(SHUT_WR))
    }

    /// Ends both directions, for whoever reads at either end.
    func cut() {
        shutdown(raw, Int32(SHUT_RDWR))
    }

    func close() {
        number.withLock { number in
            if number >= 0 { Glibc.close(number) }
            number = -1
        }
    }

    private var raw: Int32 { number.withLock { $0 } }
}

/// Somebody else's server on loopback, which accepts nobody, or says something to all.
final class Listener: Sendable {
    let address: ManagerAddress
    private let number: Mutex<Int32>

    init(saying text: String? = nil) throws {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(made >= 0)
        var target = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(made, address, size) == 0, listen(made, 16) == 0 else { return Int32(-1) }
                return getsockname(made, address, &size)
            }
        }
        try #require(result == 0)
        address = .tcp(host: "127.0.0.1", port: Int(UInt16(bigEndian: target.sin_port)))
        number = Mutex(made)
        if let text { Thread.start { Listener.talk(made, text) } }
    }

    /// The next who comes; blocks its thread.
    func accept() -> Visitor? {
        let number = number.withLock { $0 }
        let made = Glibc.accept(number, nil, nil)
        return made < 0 ? nil : Visitor(adopting: made)
    }

    func close() {
        number.withLock { number in
            if number >= 0 {
                shutdown(number, Int32(SHUT_RDWR))
                Glibc.close(number)
            }
            number = -1
        }
    }

    private static func talk(_ number: Int32, _ text: String) {
        while true {
            let made = Glibc.accept(number, nil, nil)
            guard made >= 0 else { return }
            let visitor = Visitor(adopting: made)
            visitor.say(Array(text.utf8))
            while !visitor.hearSome().isEmpty {}
        }
    }
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// A thread that may block.
enum Thread {
    static func start(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        precondition(code == 0, "a thread can be made")
        pthread_detach(thread)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
