import MultiprocessingSystem

/// What the workers of one pool find around them, checked when the pool is made.
struct WorkerSurroundings: Sendable {
    let folder: Folder?
    let limits: ResourceLimits
    /// The workers' nice value; nil where it is the ordinary one and need not be set.
    let niceness: Int?
    let output: WorkerOutput
    /// The cores of each worker in turn; empty for any.
    let cores: [[Int]]
    /// What `ps` and `top` show for the workers; `nil` for their number.
    let name: String?

    /// - Throws: ``PoolError`` for what could not be done.
    init(_ backend: ProcessBackend) throws {
        try backend.limits.check()
        try backend.environment.check()
        folder = try Self.folder(backend.workingDirectory)
        limits = backend.limits
        niceness = try Self.checked(niceness: backend.niceness)
        output = backend.output
        name = backend.name
        cores = try backend.cpus.cores(usable: Cores.numbers())
    }

    /// Whether a worker has to be told anything.
    var hasSettings: Bool { settings(of: 0) != WorkerSettings() }

    func settings(of worker: Int) -> WorkerSettings {
        var settings = WorkerSettings()
        settings.niceness = niceness
        if !cores.isEmpty { settings.cores = cores[worker % cores.count] }
        settings.name = name
        settings.mappedBytes = limits.mappedBytes
        settings.openFiles = limits.openFiles
        if case .lines = output.kind { settings.flushesLines = true }
        return settings
    }

    private static func folder(_ path: String?) throws -> Folder? {
        guard let path else { return nil }
        if path.isEmpty || path.utf8.contains(0) {
            throw PoolError(
                .invalidArgument, "workingDirectory is \(path.debugDescription), but it has to be the path of a folder")
        }
        do throws(SystemError) {
            return try Folder(path)
        } catch {
            var made = PoolError(
                .invalidArgument,
                "workingDirectory is \(path.debugDescription), but workers could not work there: \(error)")
            made.errno = error.errno.rawValue
            throw made
        }
    }

    private static func checked(niceness: Int) throws -> Int? {
        guard (-20...19).contains(niceness) else {
            throw PoolError.invalidArgument("niceness", niceness, "it is added to a nice value, from -20 to 19")
        }
        let wanted = min(19, max(-20, Niceness.current + niceness))
        let lowest = Niceness.lowestAllowed
        if niceness < 0, wanted < lowest {
            throw PoolError(
                .workerStartFailed,
                """
                niceness is \(niceness), but this program has no privilege to make workers go before others: it may \
                give them nice values from \(lowest), and has \(Niceness.current) itself; give it CAP_SYS_NICE or a \
                limit (ulimit -e, LimitNICE= in systemd), or leave niceness at 0 or above
                """)
        }
        return niceness == 0 && wanted == 0 ? nil : wanted
    }
}

extension ResourceLimits {
    fileprivate func check() throws {
        if let memory, memory < Self.smallestMemory {
            throw PoolError(
                .invalidArgument,
                """
                the limit on memory is \(memory), but a worker that runs nothing needs some of it itself: give at \
                least \(Self.smallestMemory), or nil for no limit
                """)
        }
        if let cpuTime, cpuTime <= .zero {
            throw PoolError(
                .invalidArgument,
                "the limit on processor time is \(cpuTime), but it has to be above zero, or nil for no limit")
        }
        if let openFiles, openFiles < Self.fewestFiles {
            throw PoolError.invalidArgument(
                "the limit on open files", openFiles,
                "a worker needs about 16 itself: give at least \(Self.fewestFiles), or nil for no limit")
        }
    }
}

extension WorkerEnvironment {
    fileprivate func check() throws {
        for (name, value) in changes {
            let fault: String? =
                if name.isEmpty {
                    "a name must not be empty"
                } else if name.utf8.contains(UInt8(ascii: "=")) {
                    "a name must not contain ="
                } else if name.utf8.contains(0) {
                    "a name must not contain NUL"
                } else if value?.utf8.contains(0) == true {
                    "a value must not contain NUL"
                } else if name == Command.workerVariable {
                    "this variable is the library's own"
                } else {
                    nil
                }
            guard let fault else { continue }
            throw PoolError(
                .invalidArgument,
                "the workers' environment has a variable with the name \(name.debugDescription), but \(fault)")
        }
    }

    /// The command that starts a worker with these variables.
    func command(_ backtraces: CrashBacktraces) -> Command {
        var changes = changes
        let name = "SWIFT_BACKTRACE"
        switch backtraces.kind {
        case .automatic:
            // One that is removed says as little as one that was never set.
            if case .some(nil) = changes[name] { changes[name] = .some("enable=no") }
        case .off:
            changes[name] = .some("enable=no")
        case .on:
            let own = changes.keys.contains(name) ? changes[name] ?? nil : isInherited ? Command.variable(name) : nil
            changes[name] = .some(own.map { "\($0),enable=yes" } ?? "enable=yes")
        }
        return .worker(environment: changes, inheriting: isInherited)
    }
}

extension CPUPlacement {
    /// The cores of each worker in turn; empty for any.
    func cores(usable: [Int]) throws -> [[Int]] {
        switch kind {
        case .any:
            return []
        case .spread:
            return usable.map { [$0] }
        case .each(let lists):
            let known = usable.map(String.init).joined(separator: ", ")
            if lists.isEmpty {
                throw PoolError(
                    .invalidArgument,
                    "cpus names no cores at all; this program may use \(known); .any is for all of them")
            }
            for (index, list) in lists.enumerated() {
                if list.isEmpty {
                    throw PoolError(
                        .invalidArgument, "cpus names no core for worker \(index); this program may use \(known)")
                }
                if let stranger = list.first(where: { !usable.contains($0) }) {
                    throw PoolError(
                        .invalidArgument,
                        "cpus names core \(stranger) for worker \(index), but this program may use only \(known)")
                }
            }
            return lists
        }
    }
}
