import Glibc

/// What the kernel says of processes.
enum ProcessTable {
    /// A process's parent and state.
    struct Entry {
        let process: Int32
        let parent: Int32
        /// `R`, `S`, `D`, `T` or `Z`.
        let state: Character
    }

    /// The children of a process, zombies included.
    static func children(of parent: Int32 = getpid()) -> [Entry] {
        numbers(in: "/proc").compactMap { entry(Int32($0)) }.filter { $0.parent == parent }
    }

    static func entry(_ process: Int32) -> Entry? {
        guard let file = fopen("/proc/\(process)/stat", "re") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let text = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
        // The name before it may hold anything, parentheses too.
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 1, let state = fields[0].first, let parent = Int32(fields[1]) else { return nil }
        return Entry(process: process, parent: parent, state: state)
    }

    /// How often the threads of a process have gone to sleep so far; those that have ended are left out.
    static func contextSwitches(of process: Int32) -> Int {
        numbers(in: "/proc/\(process)/task").reduce(0) { sum, thread in
            guard let file = fopen("/proc/\(process)/task/\(thread)/status", "re") else { return sum }
            defer { fclose(file) }
            var buffer = [UInt8](repeating: 0, count: 8_192)
            let text = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
            return sum + (line.flatMap { Int($0.split(separator: "\t")[1]) } ?? 0)
        }
    }

    /// The names in a folder that are numbers.
    static func numbers(in folder: String) -> [Int] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var numbers: [Int] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int(name) { numbers.append(number) }
        }
        return numbers
    }
}
