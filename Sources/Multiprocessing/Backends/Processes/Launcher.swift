import MultiprocessingSystem

/// Makes worker processes: on this machine, by starting this executable again.
///
/// What a link to a worker is made of comes from here, so that another launcher can start workers in another way.
protocol Launcher: Sendable {
    /// Starts a worker.
    ///
    /// Blocks until the process has replaced its image, well below a millisecond.
    func launch(_ worker: WorkerID) throws(SystemError) -> LaunchedWorker

    /// How long after a replacement ``prepare()`` is to be called; `nil` if it need not be.
    var preparationPause: Duration? { get }

    /// Makes later starts quicker; blocks as ``launch(_:)`` does.
    ///
    /// - Returns: How long from now it is to be called again, if it is.
    func prepare() -> Duration?

    /// Ends what ``prepare()`` has begun; no worker is started any more.
    func close()
}

/// A worker process that was started, and the parent's ends of all that connects them.
struct LaunchedWorker: ~Copyable {
    /// For work and results.
    let socket: Socket
    /// For what must not wait behind work.
    let control: Socket
    /// For the descriptors of what workers share; see ``DescriptorLane``.
    let descriptors: Socket
    let board: ProgressBoard
    let process: ProcessHandle
    /// What it writes to its standard streams.
    let streams: WorkerStreams
    /// What it may use.
    let limits: ResourceLimits
}

/// Starts workers as children of this process.
struct ProcessLauncher: Launcher {
    let command: Command
    let surroundings: WorkerSurroundings
    /// Where lines go, if the pool's owner takes them.
    let lines: LineDelivery?
    /// What replacements are forked from; nil where every worker is started by itself.
    let templates: TemplateKeeper?

    var preparationPause: Duration? { templates?.pause }

    func prepare() -> Duration? { templates?.prepare() }

    func close() { templates?.close() }

    func launch(_ worker: WorkerID) throws(SystemError) -> LaunchedWorker {
        let work = try SocketPair()
        let control = try SocketPair()
        let descriptors = try SocketPair(.messages)
        let errors = try PipePair()
        try errors.readEnd.setNonBlocking()
        let board = ProgressBoard(try ProgressBoard.makeMemory())
        board.index.store(UInt64(worker.index))
        let passed = [
            work.second.number, control.second.number, board.descriptor, try LifePage.current.descriptor,
            descriptors.second.number,
        ]
        let command = surroundings.hasSettings ? command.applying(surroundings.settings(of: worker.index)) : command
        let process: ProcessHandle
        let streams: WorkerStreams
        switch surroundings.output.kind {
        case .inherit:
            process = try spawn(command, standardOutput: nil, errors, passed)
            streams = WorkerStreams(errors: WorkerStream(errors.takeReadEnd(), to: .relay))
        case .discard:
            let nowhere = try FileDescriptor.openForNothing()
            process = try spawn(command, standardOutput: nowhere.number, errors, passed)
            streams = WorkerStreams(errors: WorkerStream(errors.takeReadEnd(), to: .nowhere))
        case .lines:
            let output = try PipePair()
            try output.readEnd.setNonBlocking()
            process = try spawn(command, standardOutput: output.writeEnd.number, errors, passed)
            streams = WorkerStreams(
                errors: WorkerStream(
                    errors.takeReadEnd(), to: .lines(LineSplitter(worker.index, .standardError)), lines),
                output: WorkerStream(
                    output.takeReadEnd(), to: .lines(LineSplitter(worker.index, .standardOutput)), lines),
                lines: lines)
        }
        // The worker's ends are closed here: a copy that stayed open would keep its end from showing.
        return LaunchedWorker(
            socket: work.takeFirst(), control: control.takeFirst(), descriptors: descriptors.takeFirst(), board: board,
            process: process, streams: streams, limits: surroundings.limits)
    }

    private func spawn(
        _ command: Command,
        standardOutput: DescriptorNumber?,
        _ errors: borrowing PipePair,
        _ passed: [DescriptorNumber]
    ) throws(SystemError) -> ProcessHandle {
        let forked = try templates?.spawn(
            command, in: surroundings.folder, standardOutput: standardOutput, standardError: errors.writeEnd.number,
            passing: passed)
        if let forked { return forked }
        do throws(SystemError) {
            return try command.spawn(
                in: surroundings.folder, standardOutput: standardOutput, standardError: errors.writeEnd.number,
                passing: passed)
        } catch {
            // It may have gone since the pool was made, which says more than that nothing could be started.
            try surroundings.folder?.check()
            throw error
        }
    }
}
