/// What becomes of what worker processes write to their standard output and standard error.
///
/// In each case the end of a worker's standard error is kept for the error of an item that is lost with it.
public struct WorkerOutput: Sendable {
    enum Kind: Sendable {
        case inherit
        case discard
        case lines(@Sendable (Line) -> Void)
    }

    let kind: Kind

    /// Workers share the program's standard output; what they write to standard error is passed on to the program's.
    public static let inherit = WorkerOutput(kind: .inherit)

    /// What workers write is thrown away.
    public static let discard = WorkerOutput(kind: .discard)

    /// Hands what workers write to `body`, line by line.
    ///
    /// ```swift
    /// let output = WorkerOutput.lines { print("[worker \($0.worker)] \($0.text)") }
    /// let pool = try Pool(.processes(output: output))
    /// ```
    ///
    /// `body` is called on a Dispatch queue of the pool, one line at a time, never two at once; the lines of one
    /// stream of one worker come in order, those of its two streams in no certain one. What a worker printed
    /// before its item ended has been delivered when ``Pool/shutDown()`` returns, and before the item fails if
    /// the worker dies; after ``Pool/terminate()`` lines can still come. No line is lost: while 256 KiB wait for a
    /// slow `body`, workers that write are made to wait. A `body` that waits for the pool, or never returns, stops
    /// them for ever.
    ///
    /// A line of more than 64 KiB comes in pieces of at most so many bytes. What stands behind the last line's end
    /// comes when the worker ends. Bytes that are not UTF-8 are replaced by U+FFFD.
    public static func lines(_ body: @escaping @Sendable (Line) -> Void) -> WorkerOutput {
        WorkerOutput(kind: .lines(body))
    }

    /// One of a worker's standard streams.
    public enum Stream: Hashable, Sendable {
        /// What `print` writes to.
        case standardOutput
        /// What the runtime's last words go to.
        case standardError
    }

    /// A line that a worker wrote.
    public struct Line: Hashable, Sendable {
        /// The worker's number in its pool, as ``Worker/index``; one that replaces another has the same.
        public let worker: Int
        /// Where it was written to.
        public let stream: Stream
        /// The line, without its end.
        public let text: String
    }
}
