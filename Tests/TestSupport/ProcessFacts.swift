import Glibc

/// What the kernel says of processes, and of what this one has open.
package enum ProcessFacts {
    /// Whether a process runs; false for a zombie.
    package static func isRunning(_ process: Int32) -> Bool {
        guard let state = state(of: process) else { return false }
        return state != "Z" && state != "X"
    }

    /// `R`, `S`, `D`, `T` or `Z`; `nil` when there is no such process.
    package static func state(of process: Int32) -> Character? {
        let text = contents("/proc/\(process)/stat")
        // The name before it may hold anything, parentheses too.
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ").first?.first
    }

    /// How many descriptors this process has open, apart from timers, which Dispatch makes when it likes.
    package static var descriptorCount: Int {
        entries("/proc/self/fd").count { number in
            let target = target(of: "/proc/self/fd/\(number)")
            return target != nil && target != "anon_inode:[timerfd]"
        }
    }

    /// What a link points to.
    package static func target(of link: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes { readlink(link, $0.baseAddress!, $0.count) }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// How many threads this process has.
    package static var threadCount: Int { entries("/proc/self/task").count }

    /// How many threads of this process have a name.
    package static func threads(named name: String) -> Int {
        entries("/proc/self/task").count { contents("/proc/self/task/\($0)/comm") == name + "\n" }
    }

    /// The first bytes of a file.
    package static func contents(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        return String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
    }

    private static func entries(_ folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
