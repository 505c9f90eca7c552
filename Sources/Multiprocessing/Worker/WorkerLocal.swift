/// A value that each worker makes for itself, at most once, when it is first asked for: a connection, a model, a cache.
///
/// ```swift
/// enum Shop {
///     static let database = WorkerLocal { try Database(path: "/srv/shop.db") }
/// }
///
/// let prices = try await pool.map(articles) {
///     try Shop.database.value.price(of: $0)
/// }
/// ```
///
/// A worker process makes it in its own memory, a worker thread keeps one apart from those of the other threads, and
/// the worker that replaces another makes a new one. Outside of workers there is one for the process.
///
/// It is let go of when its worker ends, behind the last item and before exit handlers run, and those of a worker in the
/// reverse order in which they were made. That does not happen where a worker process is killed. A worker thread that
/// is given up keeps it until the item that it runs has returned; ``Pool/shutDown()`` waits for that, and
/// ``Pool/terminate()`` does not. Outside of workers nothing lets go of it.
///
/// Declare it as a `static let`, or as a global outside of main.swift, so that each process has it. A closure that
/// captures one from a function is refused on processes, as every closure that captures an object.
///
/// The value need not be `Sendable`, since it stays in its worker, which runs one item at a time. An item that
/// splits into child tasks uses it from one of them at a time, and lets nothing keep it that runs on when the item
/// has ended.
public final class WorkerLocal<Value>: Sendable {
    /// By which workers keep what was made of it.
    private let number = WorkerLocals.makeNumber()
    private let make: @Sendable () throws -> Value

    /// Makes nothing yet.
    ///
    /// - Parameter make: Makes the value, on the thread that first asks for it in a worker. When it throws, whoever asks
    ///   next has it called again.
    public init(_ make: @escaping @Sendable () throws -> Value) {
        self.make = make
    }

    /// The value of the worker that runs the calling code, or of the process outside of workers.
    ///
    /// Blocks while it is made. Code that left its worker's task, such as a block on a Dispatch queue, counts as outside of
    /// worker threads; in a worker process all code is inside.
    ///
    /// - Throws: What the closure that makes it throws, and ``PoolError/Code/invalidArgument`` to that closure itself
    ///   if it asks for the value.
    public var value: Value {
        get throws { try WorkerLocals.current.value(number, make) }
    }
}

extension WorkerLocal: CaptureAdvising {
    static var captureAdvice: String {
        "declare the WorkerLocal as a static let of a type, or as a global outside of main.swift, which each process has"
    }
}
