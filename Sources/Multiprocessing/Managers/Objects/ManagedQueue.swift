public import Distributed

/// A queue that processes and tasks send elements to and receive them from.
///
/// ```swift
/// let pages = try await manager.queue(of: String.self, capacity: 100)
/// try await pages.send("index.html")
/// let page = try await pages.receive(timeout: .seconds(10))
/// ```
///
/// ``SharedQueue`` is faster by far where no manager is needed. An element is lost that was received by a process that
/// died before it had it.
public distributed actor ManagedQueue<Element: Codable & Sendable> {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var elements = RingQueue<Element>()
    private let capacity: Int?
    private var isEnded = false
    private var unfinished = 0
    private let receivers = WaitingLine()
    private let senders = WaitingLine()
    private let joiners = WaitingLine()

    /// Makes a queue in this process.
    ///
    /// - Parameters:
    ///   - capacity: How many elements it has at most; `nil` for as many as there is memory for.
    ///   - actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    /// - Throws: ``SharedStateError/Code/invalidArgument`` for a capacity of less than one.
    public init(capacity: Int? = nil, actorSystem: WorkerActorSystem) throws {
        self.capacity = capacity
        self.actorSystem = actorSystem
        if let capacity, capacity < 1 {
            throw SharedStateError(
                .invalidArgument, "a queue for \(capacity) elements can have none; give it a capacity of one or more")
        }
    }

    // MARK: Sending

    /// Adds an element behind the others; waits while the queue is full.
    ///
    /// - Parameters:
    ///   - element: What is sent.
    ///   - timeout: How long to wait; `nil` for ever.
    /// - Throws: ``SharedStateError/Code/closed``, ``SharedStateError/Code/timedOut`` and `CancellationError`, and then
    ///   it was not sent.
    public distributed func send(_ element: Element, timeout: Duration? = nil) async throws {
        try checkOpen()
        let limit = WaitLimit(timeout)
        while isFull {
            try await senders.wait(senders.join(), timeout: limit.remaining, "the queue stayed full")
            try checkOpen()
        }
        append(element)
    }

    /// Adds elements behind the others, one after another; waits while the queue is full.
    ///
    /// - Throws: As ``send(_:timeout:)``, and then some may have been sent.
    public distributed func send(contentsOf elements: [Element], timeout: Duration? = nil) async throws {
        for element in elements { try await send(element, timeout: timeout) }
    }

    /// Adds an element if the queue is not full.
    ///
    /// - Returns: Whether it did.
    /// - Throws: ``SharedStateError/Code/closed``.
    public distributed func trySend(_ element: Element) throws -> Bool {
        try checkOpen()
        if isFull { return false }
        append(element)
        return true
    }

    // MARK: Receiving

    /// Removes the first element, and returns it; waits while there is none.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Throws: ``SharedStateError/Code/closed`` when the queue is closed and empty, ``SharedStateError/Code/timedOut``
    ///   and `CancellationError`.
    public distributed func receive(timeout: Duration? = nil) async throws -> Element {
        let limit = WaitLimit(timeout)
        while true {
            if let element = takeFirst() { return element }
            try checkOpen()
            try await receivers.wait(receivers.join(), timeout: limit.remaining, "the queue stayed empty")
        }
    }

    /// Removes the first elements; waits while there is none.
    ///
    /// - Parameters:
    ///   - count: How many at most.
    ///   - timeout: How long to wait for the first; `nil` for ever.
    /// - Throws: As ``receive(timeout:)``.
    public distributed func receive(atMost count: Int, timeout: Duration? = nil) async throws -> [Element] {
        guard count > 0 else { return [] }
        var received = [try await receive(timeout: timeout)]
        while received.count < count, let element = takeFirst() { received.append(element) }
        return received
    }

    /// Removes the first element, and returns it; `nil` if there is none.
    public distributed func tryReceive() -> Element? { takeFirst() }

    // MARK: The rest

    /// Lets nothing more be sent; what is in the queue can be received.
    public distributed func close() {
        isEnded = true
        senders.admitAll()
        receivers.admitAll()
    }

    /// Whether it was closed.
    public nonisolated var isClosed: Bool { get async throws { try await readIsClosed() } }

    distributed func readIsClosed() -> Bool { isEnded }

    /// How many elements are in it.
    public nonisolated var count: Int { get async throws { try await readCount() } }

    distributed func readCount() -> Int { elements.count }

    /// Says that what was received is done; once for each element.
    ///
    /// - Throws: ``SharedStateError/Code/notHeld`` when it was said of all that were sent.
    public distributed func taskDone() throws {
        guard unfinished > 0 else { throw SharedStateError.managedNotHeld("an element that was not done") }
        unfinished -= 1
        if unfinished == 0 { joiners.admitAll() }
    }

    /// Waits until all that was sent is done.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Throws: ``SharedStateError/Code/timedOut`` and `CancellationError`.
    public distributed func join(timeout: Duration? = nil) async throws {
        if unfinished > 0 { try await joiners.wait(joiners.join(), timeout: timeout, "not all elements were done") }
    }

    private var isFull: Bool { capacity.map { elements.count >= $0 } ?? false }

    private func checkOpen() throws {
        if isEnded {
            throw SharedStateError(.closed, "the queue was closed; send before that, and receive until this error")
        }
    }

    private func append(_ element: Element) {
        elements.append(element)
        unfinished += 1
        _ = receivers.admitFirst()
    }

    private func takeFirst() -> Element? {
        guard let element = elements.popFirst() else { return nil }
        _ = senders.admitFirst()
        return element
    }
}
