import Glibc

/// A file or a directory that was left out, and why.
struct Problem: Error, Codable, Hashable, Comparable, CustomStringConvertible {
    let path: Path
    let reason: String

    static func binary(_ path: Path) -> Problem {
        Problem(path: path, reason: "binary file, skipped")
    }

    /// The failure of the system call that was just made.
    static func lastError(_ path: Path) -> Problem {
        Problem(path: path, reason: "\(String(cString: strerror(errno))), skipped")
    }

    var description: String { "\(path): \(reason)" }

    static func < (left: Problem, right: Problem) -> Bool { left.path < right.path }
}
