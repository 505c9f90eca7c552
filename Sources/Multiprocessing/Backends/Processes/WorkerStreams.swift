import MultiprocessingSystem

/// What a worker process writes to its standard streams, read by its pool's loop.
///
/// Used on the loop's thread only, which is why Sendable is unchecked.
final class WorkerStreams: @unchecked Sendable {
    private let errors: WorkerStream
    /// Without it the worker writes to this program's standard output itself, or to nothing.
    private let output: WorkerStream?
    private let lines: LineDelivery?
    private let tail = ErrorTail()

    init(errors: WorkerStream, output: WorkerStream? = nil, lines: LineDelivery? = nil) {
        self.errors = errors
        self.output = output
        self.lines = lines
    }

    /// The last that the worker wrote to its standard error.
    var errorTail: String { tail.text }

    func open(on loop: EventLoop) throws(SystemError) {
        try errors.open(on: loop, keeping: tail)
        try output?.open(on: loop, keeping: nil)
    }

    /// Takes what an ended worker has left in its pipes.
    func readRest() {
        errors.readRest(keeping: tail)
        output?.readRest(keeping: nil)
    }

    func close() {
        errors.close()
        output?.close()
    }

    /// Runs `body` when all lines that were read up to now have been delivered: now, or later on the loop.
    func whenDelivered(on loop: EventLoop, _ body: @escaping @Sendable () -> Void) {
        guard let lines else { return body() }
        lines.whenDelivered { loop.execute(body) }
    }
}

/// One pipe that a worker writes to.
///
/// Used on the loop's thread only.
final class WorkerStream {
    enum Destination {
        /// This program's standard error.
        case relay
        case nowhere
        case lines(LineSplitter)
    }

    private let pipe: FileDescriptor
    private var destination: Destination
    private let lines: LineDelivery?
    private var registration: EventLoop.Registration?

    init(_ pipe: consuming FileDescriptor, to destination: Destination, _ lines: LineDelivery? = nil) {
        self.pipe = pipe
        self.destination = destination
        self.lines = lines
    }

    func open(on loop: EventLoop, keeping tail: ErrorTail?) throws(SystemError) {
        // Safe: the handler runs on the loop's thread, as everything else here.
        nonisolated(unsafe) let stream = self
        nonisolated(unsafe) let tail = tail
        registration = try loop.register(pipe.number, .read) { _ in stream.read(on: loop, keeping: tail) }
    }

    func close() {
        registration?.deregister()
    }

    private func read(on loop: EventLoop, keeping tail: ErrorTail?) {
        guard takesMore else { return readLater(on: loop) }
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
            switch (try? pipe.read(into: buffer)) ?? .endOfStream {
            case .received(let count):
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), keeping: tail)
            case .wouldBlock:
                break
            case .endOfStream:
                registration?.deregister()
            }
        }
    }

    /// Makes the worker wait for whoever takes what it writes.
    private func readLater(on loop: EventLoop) {
        try? registration?.setInterest([])
        let registration = registration
        loop.schedule(after: .milliseconds(20)) {
            // Refused only once the registration has ended with the worker.
            try? registration?.setInterest(.read)
        }
    }

    private var takesMore: Bool {
        switch destination {
        case .relay: StandardErrorRelay.shared.takesMore
        case .nowhere: true
        case .lines: lines?.takesMore ?? true
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, keeping tail: ErrorTail?) {
        tail?.append(bytes)
        switch destination {
        case .relay:
            StandardErrorRelay.shared.write(bytes)
        case .nowhere:
            break
        case .lines(var splitter):
            // Without the value in both places the buffer is not copied.
            destination = .nowhere
            lines?.deliver(splitter.split(bytes))
            destination = .lines(splitter)
        }
    }

    /// Takes what is left behind by a worker that has ended, to the end of its last line.
    func readRest(keeping tail: ErrorTail?) {
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
            // A pipe holds 64 KiB; a program that the worker left behind could go on writing for ever.
            for _ in 0..<64 {
                guard case .received(let count)? = try? pipe.read(into: buffer) else { break }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), keeping: tail)
            }
        }
        if case .lines(var splitter) = destination {
            lines?.deliver(splitter.finish())
            destination = .lines(splitter)
        }
    }
}
