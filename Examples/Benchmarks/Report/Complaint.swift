import Glibc

/// A line for the standard error.
enum Complaint {
    static func print(_ reason: String) {
        // Not with the C library's streams, whose variables Swift takes for shared mutable state.
        let line = Array("benchmarks: \(reason)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
