import Glibc
import Multiprocessing

/// Where a program of the tour runs, and how much of it is to be seen.
struct Stage {
    let backend: any Backend
    /// Whether only to see that it works, as tests do.
    let isShort: Bool

    var isOnProcesses: Bool { backend is ProcessBackend }

    /// Where it runs, in a word.
    var place: String { isOnProcesses ? "processes" : "threads" }

    /// How long work takes that only waits; the articles wait a second.
    var nap: Duration { isShort ? .milliseconds(5) : .milliseconds(50) }
}

/// A value that a program came to and that is not right.
struct Wrong: Error, Codable, CustomStringConvertible {
    let description: String
}

/// Compares a value with what it has to be.
///
/// - Throws: ``Wrong`` if it is something else.
func expect<Value: Equatable>(_ value: Value, is expected: Value, _ name: String) throws {
    guard value == expected else { throw Wrong(description: "\(name): \(value), and it should be \(expected)") }
}

/// Insists on something.
///
/// - Throws: ``Wrong`` if it does not hold.
func insist(_ holds: Bool, _ complaint: @autoclosure () -> String) throws {
    guard holds else { throw Wrong(description: complaint()) }
}

/// Who runs the code that asks.
var whoIsHere: String {
    Worker.current.map { "worker \($0.index) of process \($0.processID)" } ?? "process \(getpid())"
}

/// Prints a line of a program, from whichever process it runs in.
///
/// Each line is one `write`, so that those of several processes do not mix, and none waits in a buffer.
func say(_ line: String) { write("    \(line)\n", to: STDOUT_FILENO) }

/// Prints a long text in lines of a hundred characters.
func sayWrapped(_ text: String) {
    var line = ""
    for word in text.split(separator: " ") {
        if !line.isEmpty, line.count + word.count > 100 {
            say("  \(line)")
            line = ""
        }
        line += line.isEmpty ? "\(word)" : " \(word)"
    }
    say("  \(line)")
}

/// Writes a text at once.
func write(_ text: String, to descriptor: Int32) {
    Array(text.utf8).withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR && errno != EAGAIN { return }
        }
    }
}
