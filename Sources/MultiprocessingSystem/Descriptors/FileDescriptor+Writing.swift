internal import Glibc

extension FileDescriptor {
    /// Makes a file, or empties the one that is there, and writes all of `bytes` to it; blocks meanwhile.
    package static func write(_ bytes: Span<UInt8>, toFile path: String) throws(SystemError) {
        let file = FileDescriptor(
            adopting: try systemCall("open \(path)") {
                Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            })
        let raw = file.number.rawValue
        var written = 0
        while written < bytes.count {
            let rest = bytes.extracting(written...)
            written += try systemCall("write \(path)") {
                rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
            }
        }
    }
}
