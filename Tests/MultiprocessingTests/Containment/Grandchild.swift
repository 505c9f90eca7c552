import Glibc

/// A program that work starts, as a C library would: without a process group of its own.
enum Grandchild {
    /// Starts `sleep`, which holds the caller's standard error and runs for longer than any test.
    static func start() throws -> Int32 {
        var process: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("1000"), nil]
        defer { arguments.forEach { free($0) } }
        let result = posix_spawn(&process, "/bin/sleep", nil, nil, &arguments, nil)
        guard result == 0 else { throw NotStarted(errno: result) }
        return process
    }

    struct NotStarted: Error, Codable {
        let errno: Int32
    }
}
