import Glibc
import Multiprocessing
import RegistryActors

/// A server whose objects other programs use, and a pool whose workers count into one of them.
///
///     registry                        shows it all, with a client that it starts
///     registry serve HOST PORT KEY-FILE [SECONDS]
@main
enum Registry {
    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.count >= 5, arguments[1] == "serve", let port = Int(arguments[3]) {
            let seconds = arguments.count > 5 ? Int(arguments[5]) : nil
            try await serve(arguments[2], port, arguments[4], for: .seconds(seconds ?? 86_400))
        } else if arguments.count == 1 {
            try await show()
        } else {
            print("usage: registry [serve HOST PORT KEY-FILE [SECONDS]]")
            exit(2)
        }
    }

    private static func serve(_ host: String, _ port: Int, _ keyPath: String, for time: Duration) async throws {
        let server = try await makeServer(at: .tcp(host: host, port: port), ManagerKey(contentsOf: keyPath))
        print("listening on \(server.address)")
        try await Task.sleep(for: time)
        await server.shutDown()
    }

    private static func makeServer(at address: ManagerAddress, _ key: ManagerKey) async throws -> ManagerServer {
        let server = try await ManagerServer(at: address, key: key)
        try await server.register("scores") { Scoreboard(actorSystem: $0) }
        try await server.register("words") { ManagedDictionary<String, Int>(actorSystem: $0) }
        return server
    }

    private static func show() async throws {
        let folder = try KeyFolder()
        defer { folder.remove() }
        let key = try ManagerKey(contentsOf: folder.keyPath)
        let server = try await makeServer(at: .unix(folder.socketPath), key)

        // The workers of this program's pool reach the dictionary like any other program: by the server.
        let remote = try await Manager.connect(to: server.address, key: key)
        let words = try await remote.object("words", as: ManagedDictionary<String, Int>.self)
        let text = "the cat and the dog and the bird"
        let counts = try await withPool(.processes, workers: 2) { pool in
            try await pool.forEach(text.split(separator: " ").map(String.init)) { word in
                try await words.update(word, default: 0) { $0 += 1 }
            }
            return try await words.all
        }
        print("counted: \(counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))")
        guard counts == ["the": 3, "cat": 1, "and": 2, "dog": 1, "bird": 1] else { throw Wrong(what: "\(counts)") }

        // Another program, with the types that both have in common.
        let client = CommandLine.arguments[0].replacingLastComponent(with: "registry-client")
        let status = try run(client, [folder.socketPath, folder.keyPath])
        guard status == 0 else { throw Wrong(what: "the client ended with \(status)") }
        let known = try await words.get("from the client")
        guard known == 1 else { throw Wrong(what: "the client's word is not there") }
        await server.shutDown()
        print("the server and its client agree")
    }

    /// Runs a program to its end.
    private static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        fflush(nil)
        var list = ([program] + arguments).map { strdup($0) } + [nil]
        defer { list.forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, program, nil, nil, &list, environ)
        guard code == 0 else { throw Wrong(what: "\(program) cannot be started: \(String(cString: strerror(code)))") }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

/// What is not as it has to be.
struct Wrong: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}

/// A folder of this user's alone, with a key and room for a socket.
struct KeyFolder {
    let path: String
    var keyPath: String { path + "/key" }
    var socketPath: String { path + "/socket" }

    init() throws {
        var template = Array("/tmp/registry-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Wrong(what: "no folder can be made in /tmp") }
        path = String(cString: made)
        let file = open(keyPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255) }
        guard file >= 0, write(file, bytes, bytes.count) == bytes.count, close(file) == 0 else {
            throw Wrong(what: "no key can be written to \(keyPath)")
        }
    }

    func remove() {
        unlink(keyPath)
        unlink(socketPath)
        rmdir(path)
    }
}

extension String {
    func replacingLastComponent(with name: String) -> String {
        let folder = lastIndex(of: "/").map { self[...$0] } ?? ""
        return folder + name
    }
}
