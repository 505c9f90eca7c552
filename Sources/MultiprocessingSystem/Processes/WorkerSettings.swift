/// What a worker process asks of the kernel for itself before it runs any work.
///
/// It is sent with the variable that marks the process as a worker, and applied by the worker's entry (worker.c).
/// What the kernel refuses ends the worker before it is ready, and it says why on its standard error.
package struct WorkerSettings: Equatable, Sendable {
    /// The nice value; nil leaves that of the thread that starts the worker.
    package var niceness: Int?

    /// The cores that it may run on; empty for those of this process.
    package var cores: [Int] = []

    /// The most bytes of private writable memory that it may map (RLIMIT_DATA); nil leaves the limit as it is.
    package var mappedBytes: Int?

    /// The most descriptors it may have (RLIMIT_NOFILE); nil leaves the limit as it is.
    package var openFiles: Int?

    /// Whether what is printed goes out line by line, though standard output is no terminal.
    package var flushesLines = false

    /// What `ps` and `top` show for it; nil for its number.
    package var name: String?

    package init() {}

    /// A name without what would end the setting, or the line that a tool shows; at most 60 bytes.
    private static func printable(_ name: String) -> String {
        var text = ""
        for character in name {
            let isPlain = character.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && $0 != ";" }
            let next = isPlain ? String(character) : "_"
            if text.utf8.count + next.utf8.count > 60 { break }
            text += next
        }
        return text
    }

    /// The settings as they stand behind the descriptor's number.
    var text: String {
        var text = ""
        if let niceness { text += ";n\(niceness)" }
        if !cores.isEmpty { text += ";c" + cores.map(String.init).joined(separator: ",") }
        if let mappedBytes { text += ";d\(mappedBytes)" }
        if let openFiles { text += ";f\(openFiles)" }
        if flushesLines { text += ";l" }
        if let name { text += ";t\(Self.printable(name))" }
        return text
    }
}
