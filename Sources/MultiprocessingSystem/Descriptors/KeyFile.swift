internal import Glibc

/// A small file that holds a secret, and whether others could have read or made it.
package struct KeyFile: Sendable {
    package let bytes: [UInt8]

    /// Why it holds no secret, and what to do; `nil` if it does.
    package let problem: String?

    /// The most bytes that such a file has.
    private static let limit = 4_096

    package init(_ path: String) throws(SystemError) {
        // A pipe that nobody writes to is not waited for.
        let file = FileDescriptor(
            adopting: try systemCall("open \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) })
        var facts = stat()
        // Of the file that is open, whatever the path leads to by now.
        try systemCall("fstat \(path)") { fstat(file.number.rawValue, &facts) }
        if facts.st_mode & S_IFMT != S_IFREG {
            problem = "it is no regular file"
            bytes = []
        } else if facts.st_uid != geteuid(), facts.st_uid != 0 {
            problem = "the file belongs to another user (\(facts.st_uid)): make it your own (chown)"
            bytes = []
        } else if facts.st_mode & 0o077 != 0 {
            problem = "other users can get at it: chmod 600 \(path)"
            bytes = []
        } else if facts.st_size > Self.limit {
            problem = "it has \(facts.st_size) bytes, and a key has at most \(Self.limit)"
            bytes = []
        } else {
            problem = nil
            bytes = try file.readToEnd(limit: Self.limit)
        }
    }
}
