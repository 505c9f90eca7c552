internal import CMultiprocessing

/// A worker process in which the initializers of all libraries have run, and that waits for what it is to be.
///
/// It ends when its socket does, and so with this process, however that ends. For one caller at a time, and one use.
package final class SpareWorker: Sendable {
    /// How many descriptors a worker can be passed.
    package static let placeCount = 5

    package let process: ProcessHandle
    private let socket: Socket
    private let origin = ForkMark()

    init(_ process: ProcessHandle, _ socket: consuming Socket) {
        self.process = process
        self.socket = socket
        ForkMark.keep(self.socket.number)
    }

    deinit { ForkMark.release(socket.number) }

    /// Makes it a worker, with what ``Command/spawn(in:standardOutput:standardError:passing:)`` takes; returns at once.
    ///
    /// - Returns: False if it cannot be told, or is stopped or gone.
    package func become(
        _ command: Command,
        in folder: Folder? = nil,
        standardOutput: DescriptorNumber? = nil,
        standardError: DescriptorNumber? = nil,
        passing: [DescriptorNumber] = []
    ) -> Bool {
        guard passing.count == Self.placeCount, (try? process.reap()) == nil, !process.isStopped,
            let request = try? WorkerRequest(command, folder, standardOutput, standardError, passing),
            case .sent = request.send(over: socket)
        else { return false }
        return true
    }

    /// Ends one that was not used, and blocks until it is gone.
    package func end() {
        guard !origin.isElsewhere else { return }
        process.end(closing: socket, patience: WorkerTemplate.patience)
    }
}

extension ProcessHandle {
    /// Ends a process that ends with its socket, and blocks until it is gone; returns whether it is.
    @discardableResult
    func end(closing socket: borrowing Socket, patience: Duration) -> Bool {
        // Its end where it may not be killed, because this process has given up its privileges since.
        socket.shutDown()
        _ = try? send(.kill)
        let deadline = MonotonicTime.now().advanced(by: patience)
        repeat {
            // One that somebody else has reaped is gone too.
            if (try? reap()) != nil { return true }
        } while (try? Readiness.wait(for: .read, of: [exitDescriptor], until: deadline))?.isEmpty == false
        return (try? reap()) != nil
    }
}
