internal import CMultiprocessing
internal import Glibc

/// A process of this program that is stopped where nothing of it has run yet, and forks workers when it is asked.
///
/// The dynamic linker has done its work there, and each worker goes on from it: it runs the initializers of all
/// libraries as a new process does. The kernel makes the worker a child of this process and not of the template.
///
/// It ends when its socket does, and so with this process, however that ends. For one caller at a time.
package final class WorkerTemplate: Sendable {
    /// What became of a request.
    package enum Outcome: Sendable {
        case made(ProcessHandle)
        /// The template is as good as before, but this worker is to be started in another way.
        case declined
        /// The template is gone, or not to be used any more; no worker was made.
        case ended
    }

    /// How long a request may take before the template counts as stuck: a thousand times as long as it does.
    package static let replyPatience = Duration.milliseconds(250)

    /// How long a process may take to be gone.
    package static let patience = Duration.seconds(1)

    /// Whether this program can have one.
    package static var isPossible: Bool { mp_has_template() }

    /// The template's own process.
    package let process: ProcessHandle

    private let socket: Socket
    private let inheritance: Inheritance
    private let origin = ForkMark()

    /// Where the kernel notes the last process that the template has forked, as soon as there is one.
    private let made: SharedPages

    /// Starts one; it is ready some milliseconds later.
    ///
    /// - Parameters:
    ///   - command: That of a worker: the workers will have its environment.
    ///   - folder: From which libraries are found that the environment names by relative paths.
    package init(of command: Command, in folder: Folder? = nil) throws(SystemError) {
        let pair = try SocketPair(.messages)
        made = try SharedPages(size: MemoryLayout<UInt32>.size, name: "multiprocessing-template")
        inheritance = try .current
        let nowhere = try FileDescriptor.openForNothing()
        process = try command.asTemplate.spawn(
            in: folder, standardOutput: nowhere.number, standardError: nowhere.number,
            passing: [pair.second.number, made.descriptor.number])
        socket = pair.takeFirst()
        ForkMark.keep(socket.number)
        // Another thread may have changed something for a moment, such as the mask of new files' rights.
        if try Inheritance.current != inheritance { throw SystemError(.wouldBlock, "making a template for workers") }
    }

    deinit {
        ForkMark.release(socket.number)
        if !origin.isElsewhere { end() }
    }

    /// Whether it has tried itself and waits for requests; `nil` when it is gone.
    package func isReady() -> Bool? {
        switch receive() {
        // By another number it is known in another namespace, and so would be what it forks.
        case .reply(process.id.rawValue): true
        case .nothing: false
        case .reply, .end: nil
        }
    }

    /// Has the template make a worker, with what ``Command/spawn(in:standardOutput:standardError:passing:)`` takes.
    ///
    /// Blocks until there is one, which is well below a millisecond.
    ///
    /// - Throws: If the worker was made and cannot be watched, or nobody knows whether it was made: it then has no
    ///   descriptors but those that were passed, and has to be left without their other ends.
    package func spawn(
        _ command: Command,
        in folder: Folder? = nil,
        standardOutput: DescriptorNumber? = nil,
        standardError: DescriptorNumber? = nil,
        passing: [DescriptorNumber] = []
    ) throws(SystemError) -> Outcome {
        guard isLikeThis else { return .ended }
        let lastNumber = LifePage.existing?.lastNumber ?? 0
        word.store(0)
        guard let request = try? WorkerRequest(command, folder, standardOutput, standardError, passing) else {
            return .declined
        }
        switch request.send(over: socket) {
        case .sent: break
        case .peerGone: return .ended
        // Something is closed here, such as standard output: a worker without it is started in the other way.
        case .wouldBlock, nil: return .declined
        }
        let reply = awaitReply()
        if case .reply(let number) = reply {
            guard number > 0 else { return .declined }
            return .made(try watch(number, startedAfter: lastNumber))
        }
        // Nobody else ends it in between: what it has done until then is what it will have done.
        guard end() else { throw SystemError(.timedOut, "forking a worker process") }
        let number = Int32(bitPattern: word.load())
        return number > 0 ? .made(try watch(number, startedAfter: lastNumber)) : .ended
    }

    /// Whether what it forks has what a child of the calling thread would inherit.
    package var isLikeThis: Bool {
        guard let now = try? Inheritance.current else { return false }
        return now == inheritance
    }

    /// Has the template make a worker for later.
    ///
    /// - Returns: `nil` if it could not, and is not to be used any more.
    package func makeSpare(of command: Command, in folder: Folder? = nil) throws(SystemError) -> SpareWorker? {
        let pair = try SocketPair(.messages)
        let nowhere = try FileDescriptor.openForNothing()
        // They hold the places of what a worker is passed, so that no initializer opens anything there.
        let places = Array(repeating: nowhere.number, count: SpareWorker.placeCount - 1)
        let outcome = try spawn(
            command.asSpare, in: folder, standardOutput: nowhere.number, standardError: nowhere.number,
            passing: [pair.second.number] + places)
        guard case .made(let process) = outcome else { return nil }
        return SpareWorker(process, pair.takeFirst())
    }

    /// Ends it, and blocks until it is gone; returns whether it is.
    @discardableResult
    package func end() -> Bool { process.end(closing: socket, patience: Self.patience) }

    // MARK: Requests

    private var word: FutexWord { FutexWord(made.bytes.baseAddress.unsafelyUnwrapped) }

    private enum Reply {
        case reply(Int32)
        case nothing
        case end
    }

    private func receive() -> Reply {
        var value: Int32 = 0
        let result = try? withUnsafeMutableBytes(of: &value) { try socket.receive(into: $0) }
        switch result {
        case .received(MemoryLayout<Int32>.size): return .reply(value)
        case .wouldBlock: return .nothing
        default: return .end
        }
    }

    private func awaitReply() -> Reply {
        let deadline = MonotonicTime.now().advanced(by: Self.replyPatience)
        while true {
            let reply = receive()
            guard case .nothing = reply, MonotonicTime.now() < deadline else { return reply }
            _ = try? Readiness.wait(for: .read, of: [socket.number], until: deadline)
        }
    }

    private func watch(_ number: Int32, startedAfter lastNumber: UInt32) throws(SystemError) -> ProcessHandle {
        let process = ProcessID(rawValue: number)
        do throws(SystemError) {
            return try ProcessHandle(process, startedAfter: lastNumber)
        } catch {
            // It may not lead a group yet, and has started nothing either.
            kill(number, SIGKILL)
            while waitpid(number, nil, 0) < 0, Errno.current == .interrupted {}
            throw error
        }
    }
}
