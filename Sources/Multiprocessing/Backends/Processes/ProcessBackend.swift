import MultiprocessingSystem

/// Workers that are processes: this executable, started again to serve work.
///
/// Nothing is needed from the program: no line in `main`, no second executable. A crash in
/// the work ends one worker and fails one item; the pool replaces the worker and goes on.
/// Work, inputs and outputs are encoded, so they have to be portable.
///
/// A worker reads `/dev/null`. It leads its own session and process group, which is killed with
/// it, and it ends when the program does, however that ends. It has no terminal: what asks for one, by
/// opening `/dev/tty`, gets an error. Unless told otherwise it has the environment that the program had when the
/// pool was made, works in the folder that the program works in when the worker starts, shares the program's
/// standard output, and its standard error is passed on to the program's.
///
/// ```swift
/// let limits = ResourceLimits(memory: .mebibytes(512))
/// let pool = try Pool(.processes(limits: limits, niceness: 10))
/// ```
public struct ProcessBackend: Backend, WorkerBackend {
    let environment: WorkerEnvironment
    let workingDirectory: String?
    let limits: ResourceLimits
    let cpus: CPUPlacement
    let niceness: Int
    let output: WorkerOutput
    let backtraces: CrashBacktraces
    let starts: WorkerStarts

    /// What `ps` and `top` show for the workers, instead of their number.
    var name: String?

    /// Makes the backend; a pool that is made with it checks what is asked for.
    ///
    /// - Parameters:
    ///   - environment: The workers' variables.
    ///   - workingDirectory: The folder that workers work in, from the root or from the folder that the program
    ///     works in when the pool is made; `nil` for that of the program.
    ///   - limits: What a worker may use.
    ///   - cpus: Which cores workers run on.
    ///   - niceness: What is added to the nice value of the program's first thread for workers, from -20 to 19: above 0 they let others
    ///     go first, below 0 they go before others, for which the program needs a privilege.
    ///   - output: What becomes of what workers write to standard output and standard error.
    ///   - backtraces: Whether workers that crash print a backtrace.
    ///   - starts: Whether replacements are forked off a template.
    public init(
        environment: WorkerEnvironment = .inherit,
        workingDirectory: String? = nil,
        limits: ResourceLimits = ResourceLimits(),
        cpus: CPUPlacement = .any,
        niceness: Int = 0,
        output: WorkerOutput = .inherit,
        backtraces: CrashBacktraces = .automatic,
        starts: WorkerStarts = .automatic
    ) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.limits = limits
        self.cpus = cpus
        self.niceness = niceness
        self.output = output
        self.backtraces = backtraces
        self.starts = starts
    }

    /// True: a worker process shares no memory with the pool.
    public var needsPortableWork: Bool { true }

    /// Makes what starts and watches a pool's worker processes.
    ///
    /// - Throws: ``PoolError/Code/invalidArgument`` for an environment, a folder, limits, cores or a niceness that
    ///   cannot be, and ``PoolError/Code/workerStartFailed`` when this program cannot be started again, because it
    ///   was started as an argument of the dynamic loader, or may not make workers go before others.
    package func makeWorkers(count: Int, reportingTo events: WorkerEvents) throws -> any WorkerGroup {
        if Command.isRunByLoader { throw PoolError.runByLoader }
        let surroundings = try WorkerSurroundings(self)
        var lines: LineDelivery?
        if case .lines(let body) = output.kind { lines = LineDelivery(to: body) }
        // On the thread that makes the pool, whose environment the workers get.
        let command = environment.command(backtraces)
        let templates =
            starts.usesTemplate && WorkerTemplate.isPossible
            ? TemplateKeeper(command: command, folder: surroundings.folder) : nil
        let launcher = ProcessLauncher(
            command: command, surroundings: surroundings, lines: lines, templates: templates)
        return ProcessWorkers(events: events, launcher: launcher, limits: limits)
    }
}

extension Backend where Self == ProcessBackend {
    /// Workers that are processes of their own.
    public static var processes: ProcessBackend { ProcessBackend() }

    /// Workers that are processes of their own, in surroundings of the caller's choice.
    ///
    /// A pool that is made with it checks what is asked for. ``ProcessBackend`` says what holds without a choice.
    ///
    /// - Parameters:
    ///   - environment: The workers' variables.
    ///   - workingDirectory: The folder that workers work in; `nil` for that of the program.
    ///   - limits: What a worker may use.
    ///   - cpus: Which cores workers run on.
    ///   - niceness: What is added to the program's nice value for workers, from -20 to 19.
    ///   - output: What becomes of what workers write to standard output and standard error.
    ///   - backtraces: Whether workers that crash print a backtrace.
    ///   - starts: Whether replacements are forked off a template.
    public static func processes(
        environment: WorkerEnvironment = .inherit,
        workingDirectory: String? = nil,
        limits: ResourceLimits = ResourceLimits(),
        cpus: CPUPlacement = .any,
        niceness: Int = 0,
        output: WorkerOutput = .inherit,
        backtraces: CrashBacktraces = .automatic,
        starts: WorkerStarts = .automatic
    ) -> ProcessBackend {
        ProcessBackend(
            environment: environment, workingDirectory: workingDirectory, limits: limits, cpus: cpus,
            niceness: niceness, output: output, backtraces: backtraces, starts: starts)
    }
}
