import MultiprocessingSystem
import Synchronization

/// The process that a worker is.
package enum WorkerProcess {
    /// Who this worker is; `nil` in a process that is none.
    static var identity: Worker? {
        let index = index.load(ordering: .relaxed)
        return index < 0 ? nil : Worker(index: index, attempt: attempt.load(ordering: .relaxed))
    }

    private static let index = Atomic(-1)

    /// How many descriptors a worker is passed.
    private static let passedCount: Int32 = 5

    /// The attempt of the current work item.
    static let attempt = Atomic(1)

    private static let canceller = Mutex<WorkerCanceller?>(nil)

    /// Tells the parent how far the work item has come that runs in this worker process at this moment.
    ///
    /// For any thread, also while the main thread is busy with the item; does not block. It reaches the pool's owner
    /// before the item's result, as `WorkerEvents.progressed`. If the parent reads
    /// more slowly than this is called, some are left out, but never the last.
    ///
    /// - Parameters:
    ///   - fraction: Handed on as it is, also if it is none.
    ///   - text: The first ``ItemProgress/textLimit`` bytes travel.
    /// - Returns: `false` if no item runs, or this process is no worker.
    @discardableResult
    package static func report(fraction: Double, text: String) -> Bool {
        canceller.withLock { $0 }?.report(fraction: fraction, text: text) ?? false
    }

    /// Serves the pool whose socket `descriptor` is, until the pool is gone.
    ///
    /// Next to it stand the control socket, the board, the tree's life page and the socket for descriptors, in this order.
    /// Called before `main`.
    static func serve(_ descriptor: Int32) -> Never {
        do {
            let input = Socket(try take(descriptor, of: descriptor))
            let control = Socket(try take(descriptor + 1, of: descriptor))
            let board = ProgressBoard(try SharedPages(mapping: try take(descriptor + 2, of: descriptor)))
            // Before any code of the user, which may give up the right to.
            try LifePage.join(try take(descriptor + 3, of: descriptor))
            let descriptors = DescriptorLane(Socket(try take(descriptor + 4, of: descriptor)))
            index.store(Int(truncatingIfNeeded: board.index.load()), ordering: .relaxed)
            ReceivedVariables.shared.awaitAll()
            WorkerActorSystem.install()
            WorkerName.set(index: index.load(ordering: .relaxed))
            // Not below 3, where work expects its standard streams, also when one of them is closed.
            let output = Socket(try FileDescriptor.duplicating(input.number, lowest: 3))
            let canceller = WorkerCanceller(ControlLane(control), board)
            Self.canceller.withLock { $0 = canceller }
            try canceller.listen()
            let session = WorkerSession(
                executor: try MainThreadExecutor(),
                input: FrameReader(input),
                stage: ResultStage(board: board, socket: output),
                canceller: canceller,
                descriptors: descriptors)
            RecordedIssues.watch()
            session.run()
        } catch {
            fail("\(error)")
        }
    }

    /// Takes over a descriptor that the parent has passed.
    ///
    /// The duplicate is close-on-exec, as the original is not: programs that the work starts
    /// must not hold the ends that tell of this worker's death. It lies behind all that was passed: where that is not
    /// there, because somebody else has marked this process, no duplicate is taken for it.
    private static func take(_ descriptor: Int32, of first: Int32) throws(SystemError) -> FileDescriptor {
        let number = DescriptorNumber(rawValue: descriptor)
        let duplicate = try FileDescriptor.duplicating(number, lowest: first + passedCount)
        FileDescriptor(adopting: number).close()
        return duplicate
    }

    /// Ends this process because it cannot serve; the parent reports what it says.
    static func fail(_ reason: String) -> Never {
        ThisProcess.report("worker process \(ProcessID.current) cannot go on: \(reason)\n")
        ThisProcess.endInFailure()
    }
}

/// Where the C entry of a worker hands over; see `worker.c`.
@_cdecl("mp_worker_main")
func serveAsWorker(_ descriptor: Int32) {
    WorkerProcess.serve(descriptor)
}
