import Glibc

/// What the kernel tells about a process.
struct ProcessFacts {
    let processID: pid_t

    /// The value of a line of smaps_rollup, `Pss` for example, in bytes.
    func memory(_ field: String) throws(SystemFailure) -> Double {
        let path = "/proc/\(processID)/smaps_rollup"
        guard let kibibytes = Self.value(field, in: try Self.text(path)) else {
            throw SystemFailure("looking for \(field) in \(path)", code: ENODATA)
        }
        return Double(kibibytes) * 1024
    }

    /// How often its threads gave their core to another, of their own will or not, since they began.
    var contextSwitches: Int {
        get throws(SystemFailure) {
            var sum = 0
            for thread in try threads {
                // A thread may have ended since it was listed.
                guard let text = try? Self.text("/proc/\(processID)/task/\(thread)/status") else { continue }
                sum += Self.value("voluntary_ctxt_switches", in: text) ?? 0
                sum += Self.value("nonvoluntary_ctxt_switches", in: text) ?? 0
            }
            return sum
        }
    }

    /// The processor time of all its threads, in seconds, those that ended included.
    var processorTime: Double {
        get throws(SystemFailure) {
            // Finer than the hundredths of a second in /proc, which are all that an idle pool may take.
            var clock = clockid_t()
            var time = timespec()
            let code = clock_getcpuclockid(processID, &clock)
            guard code == 0, clock_gettime(clock, &time) == 0 else {
                throw SystemFailure("the processor time of process \(processID)", code: code == 0 ? errno : code)
            }
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }

    private var threads: [String] {
        get throws(SystemFailure) {
            let path = "/proc/\(processID)/task"
            guard let folder = opendir(path) else { throw SystemFailure("reading \(path)") }
            defer { closedir(folder) }
            var names: [String] = []
            while let entry = readdir(folder) {
                // The entry may be shorter than its type says, so the name is read where it is.
                let place = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
                let name = String(cString: place.assumingMemoryBound(to: CChar.self))
                if !name.hasPrefix(".") { names.append(name) }
            }
            return names
        }
    }

    /// The first number behind `name:` at the start of a line.
    private static func value(_ name: String, in text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line?.dropFirst(name.count + 1).split { $0 == " " || $0 == "\t" }.first.flatMap { Int($0) }
    }

    private static func text(_ path: String) throws(SystemFailure) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemFailure("reading \(path)") }
        defer { close(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count >= 0 else { throw SystemFailure("reading \(path)") }
            if count == 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }
}
