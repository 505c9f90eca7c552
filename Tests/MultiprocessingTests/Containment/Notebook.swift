import Glibc

/// A file in which work notes what it does, and reads what it is to do.
///
/// A line is one write in append mode, so lines of several processes never mix, and a line
/// that was written stays, whatever becomes of its writer.
struct Notebook: Codable, Sendable {
    let path: String

    /// How long work waits for a line before it gives up.
    private static let limit = 20.0

    init() throws {
        var template = Array("/tmp/multiprocessing-notebook-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw NotebookError.notMade(errno) }
        close(descriptor)
        path = template.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func remove() {
        unlink(path)
    }

    func write(_ line: String) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(descriptor) }
        let text = line + "\n"
        _ = Glibc.write(descriptor, text, text.utf8.count)
    }

    var lines: [String] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer[..<count]
        }
        return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Some of the lines that were written last.
    var lastLines: ArraySlice<String> {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        fseek(file, max(0, size - 300), SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let bytes = buffer[..<fread(&buffer, 1, buffer.count, file)]
        // The first may be cut.
        return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }.dropFirst()
    }

    /// In bytes.
    var size: Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The lines as numbers.
    var numbers: [Int] { lines.compactMap { Int($0) } }

    /// Blocks the calling thread until a line is there.
    func wait(for line: String) throws {
        try wait { $0.contains(line) }
    }

    /// Blocks the calling thread until the lines satisfy a condition.
    func wait(until condition: ([String]) -> Bool) throws {
        let end = Self.seconds + Self.limit
        while !condition(lines) {
            guard Self.seconds < end else { throw NotebookError.waitedTooLong }
            usleep(1_000)
        }
    }

    private static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

enum NotebookError: Error, Codable {
    case notMade(Int32)
    case waitedTooLong
}
