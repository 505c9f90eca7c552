import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

/// The program `service`, which tests start in unusual surroundings.
enum ServiceProcess {
    static var path: String {
        ProbeProcess.path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/service"
    }

    /// Tests of privileges take root, as in a container.
    static var isRoot: Bool { geteuid() == 0 }

    static func start(_ arguments: String...) throws -> ProbeProcess {
        try ProbeProcess(arguments, path: path)
    }

    /// Starts it by a shell, behind commands that change the surroundings; `exec "$0" squares` starts it.
    static func start(byShell script: String, path: String = path) throws -> ProbeProcess {
        try ProbeProcess(["-c", script, path], path: "/bin/sh")
    }

    /// The command that starts another with mounts of its own; `nil` where that is not allowed.
    static let mounting: String? = ["unshare -m", "unshare -rm"].first { command in
        let script = "exec \(command) mount -t tmpfs none /tmp > /dev/null 2>&1"
        let attempt = try? Command("/bin/sh", arguments: ["sh", "-c", script]).spawn()
        return (try? attempt?.waitUntilExit()) == .exited(0)
    }

    /// The lines of a program that makes squares, where it must succeed.
    static let squares = ["main", "squares [1, 4, 9, 16]", "end"]
}

/// A copy of the program `service` that anybody can execute, for a test to give privileges.
final class PrivilegedService: Sendable {
    private let folder: String

    var path: String { folder + "/service" }

    init() throws {
        var template = Array("/tmp/multiprocessing-service-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NotebookError.notMade(errno) }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(folder, 0o755)
        let copy = try Command("/bin/cp", arguments: ["cp", ServiceProcess.path, path]).spawn()
        try #require(try copy.waitUntilExit() == .exited(0))
        chmod(path, 0o755)
    }

    deinit {
        unlink(folder + "/service")
        rmdir(folder)
    }

    /// Makes it run under another effective user, whoever starts it.
    func setUserID() throws {
        try #require(chown(path, 65_534, 65_534) == 0)
        try #require(chmod(path, 0o4755) == 0)
    }

    /// Gives it a capability; false where the tool for that is missing.
    func setCapability() throws -> Bool {
        guard access("/usr/sbin/setcap", X_OK) == 0, access("/usr/bin/setpriv", X_OK) == 0 else { return false }
        let tool = try Command("/usr/sbin/setcap", arguments: ["setcap", "cap_net_bind_service=+ep", path]).spawn()
        return try tool.waitUntilExit() == .exited(0)
    }
}
