import Glibc

/// A file that is written as a whole.
enum TextFile {
    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws(SystemFailure) {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(SystemFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw SystemFailure("writing \(path)") }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw SystemFailure("writing \(path)") }
            rest = rest.dropFirst(count)
        }
    }
}

/// A system call that failed, with what it was for.
struct SystemFailure: Error, CustomStringConvertible {
    let description: String

    /// Of the call that was just made.
    init(_ what: String, code: Int32 = errno) {
        description = "\(what): \(String(cString: strerror(code)))"
    }
}
