public import Synchronization

/// An array that processes share: what one writes, all read, and nothing is copied.
///
/// It travels like any value: captured by a closure, as an input or an output, or inside another `Codable` value, to
/// workers and from them, at any time. A copy is the same array. Its elements are what is its bits and nothing else:
/// numbers, `Bool`, vectors, and structures and enumerations of such.
///
/// ```swift
/// let samples = try SharedArray<Float>(count: 1_000_000)
/// try await pool.forEach(0..<10) { part in
///     samples.withMutableElements { elements in
///         for index in part * 100_000..<(part + 1) * 100_000 {
///             elements[index] = wave(index)
///         }
///     }
/// }
/// let loudest = samples.withElements { elements in
///     elements.indices.map { elements[$0] }.max()
/// }
/// ```
public struct SharedArray<Element: BitwiseCopyable & Sendable>: Portable, Hashable {
    /// How many elements there are; it never changes.
    public let count: Int

    private let region: SharedRegion

    /// Makes an array in which the bits of every element are zero.
    ///
    /// A page takes memory when it is first touched, which takes longer than to touch it again.
    ///
    /// - Parameter count: Zero or more.
    /// - Throws: ``SharedStateError`` if zeros are no element, the type's values mean nothing in another process, or the
    ///   system has no memory or descriptors left.
    public init(count: Int) throws {
        try SharedLayout<Element>.check(try SharedLayout<Element>.zero())
        try self.init(sized: count)
    }

    /// Makes an array of elements.
    ///
    /// - Throws: ``SharedStateError`` if the type's values mean nothing in another process, or the system has no memory or
    ///   descriptors left.
    public init(_ elements: some Collection<Element>) throws {
        if let first = elements.first { try SharedLayout<Element>.check(first) }
        try self.init(sized: elements.count)
        let copied = buffer.initialize(fromContentsOf: elements)
        precondition(copied == count, "a collection has as many elements as it says")
    }

    private init(sized count: Int) throws(SharedStateError) {
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard count >= 0, !overflow else {
            throw SharedStateError(
                .invalidArgument,
                """
                an array of \(count) elements of type \(shortName(of: Element.self)) cannot be shared; \
                \(count < 0 ? "ask for none or more" : "ask for less")
                """)
        }
        self.count = count
        region = try SharedRegion.make(
            .array, byteCount: size,
            details: SharedDetails([UInt64(count), SharedLayout<Element>.fingerprint]).bytes,
            name: "multiprocessing-array")
    }

    /// The places of the elements.
    public var indices: Range<Int> { 0..<count }

    /// Whether there are no elements.
    public var isEmpty: Bool { count == 0 }

    // MARK: Without a lock

    /// The element at a place, without waiting for anyone.
    ///
    /// What another process writes at the same time may be read in part: see `withLock(timeout:recover:_:)`, and
    /// `withAtomic(at:_:)` for numbers.
    public subscript(index: Int) -> Element {
        get {
            precondition(
                index >= 0 && index < count, "index \(index) is not one of the array's, which has \(count) elements")
            return buffer[index]
        }
        nonmutating set {
            precondition(
                index >= 0 && index < count, "index \(index) is not one of the array's, which has \(count) elements")
            buffer[index] = newValue
        }
    }

    /// Copies of the elements at some places; as many must be set as there are places.
    public subscript(range: Range<Int>) -> [Element] {
        get {
            precondition(
                range.lowerBound >= 0 && range.upperBound <= count,
                "the range \(range) is not within the array, which has \(count) elements")
            return Array(UnsafeMutableBufferPointer(rebasing: buffer[range]))
        }
        nonmutating set {
            precondition(
                range.lowerBound >= 0 && range.upperBound <= count,
                "the range \(range) is not within the array, which has \(count) elements")
            precondition(newValue.count == range.count, "a shared array cannot grow or shrink")
            _ = UnsafeMutableBufferPointer(rebasing: buffer[range]).update(fromContentsOf: newValue)
        }
    }

    /// A copy of all elements, as they are at some time each.
    public var elements: [Element] { self[indices] }

    /// Calls `body` with the elements, which others may write at the same time, and returns what it returns.
    ///
    /// Does not wait.
    public func withElements<Result>(_ body: (Span<Element>) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(region) { try body(UnsafeBufferPointer(buffer).span) }
    }

    /// Calls `body` with the elements, which others may write at the same time, and returns what it returns.
    ///
    /// Does not wait. Elements that one process writes while another reads or writes them have any value: let each have
    /// its part, or use `withLock(timeout:recover:_:)`.
    public func withMutableElements<Result>(
        _ body: (inout MutableSpan<Element>) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(region) {
            var span = buffer.mutableSpan
            return try body(&span)
        }
    }

    // MARK: With the lock

    /// Calls `body` with the elements while no other caller of this has them, and returns what it returns.
    ///
    /// Blocks the calling thread while another has them.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - recover: Puts the elements in order if a process died while it had them, before `body`. Without it
    ///     ``SharedStateError/Code/ownerDied`` is thrown then.
    ///   - body: Gets the elements, which it may change.
    /// - Throws: ``SharedStateError``, and what `recover` and `body` throw.
    public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner, inout MutableSpan<Element>) throws -> Void)? = nil,
        _ body: (inout MutableSpan<Element>) throws -> Result
    ) throws -> Result {
        try region.lock.withLock(timeout: timeout, recover: recovering(recover)) { try withMutableElements(body) }
    }

    /// Calls `body` with the elements while no other caller of this has them, and returns what it returns.
    ///
    /// Suspends the task while another has them. Cancelling the task ends the wait, but not `body`.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - recover: Puts the elements in order if a process died while it had them, before `body`. Without it
    ///     ``SharedStateError/Code/ownerDied`` is thrown then.
    ///   - body: Gets the elements, which it may change.
    /// - Throws: ``SharedStateError``, `CancellationError`, and what `recover` and `body` throw.
    nonisolated(nonsending) public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner, inout MutableSpan<Element>) throws -> Void)? = nil,
        _ body: (inout MutableSpan<Element>) throws -> Result
    ) async throws -> Result {
        try await region.lock.withLock(timeout: timeout, recover: recovering(recover)) {
            try withMutableElements(body)
        }
    }

    private func recovering(
        _ recover: ((DeadOwner, inout MutableSpan<Element>) throws -> Void)?
    ) -> ((DeadOwner) throws -> Void)? {
        recover.map { recover in { dead in try withMutableElements { try recover(dead, &$0) } } }
    }

    private var buffer: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: region.start.assumingMemoryBound(to: Element.self), count: count)
    }

    /// Where an element lies, for those of its extensions that use it as an atomic.
    fileprivate func atomic(at index: Int) -> UnsafeMutableRawPointer {
        precondition(
            index >= 0 && index < count, "index \(index) is not one of the array's, which has \(count) elements")
        return region.start + index * MemoryLayout<Element>.stride
    }
}

extension SharedArray where Element: AtomicRepresentable & FixedWidthInteger {
    /// Calls `body` with an element as an atomic, which no other atomic access to it can interrupt.
    ///
    /// Does not wait. `withLock(timeout:recover:_:)` knows nothing of it: use the one or the other for an element.
    public func withAtomic<Result>(
        at index: Int,
        _ body: (borrowing Atomic<Element>) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(region) { try body(atomicPlace(atomic(at: index)).pointee) }
    }
}

extension SharedArray where Element: AtomicRepresentable & BinaryFloatingPoint {
    /// Calls `body` with an element as an atomic, which no other atomic access to it can interrupt.
    ///
    /// Does not wait. `withLock(timeout:recover:_:)` knows nothing of it: use the one or the other for an element.
    public func withAtomic<Result>(
        at index: Int,
        _ body: (borrowing Atomic<Element>) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(region) { try body(atomicPlace(atomic(at: index)).pointee) }
    }
}

extension SharedArray where Element == Bool {
    /// Calls `body` with an element as an atomic, which no other atomic access to it can interrupt.
    ///
    /// Does not wait. `withLock(timeout:recover:_:)` knows nothing of it: use the one or the other for an element.
    public func withAtomic<Result>(
        at index: Int,
        _ body: (borrowing Atomic<Element>) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(region) { try body(atomicPlace(atomic(at: index)).pointee) }
    }
}

/// The atomic at an address that holds a number, for which an atomic has the number's own bits.
@inlinable
func atomicPlace<Value: AtomicRepresentable>(
    _ address: UnsafeMutableRawPointer
) -> UnsafeMutablePointer<Atomic<Value>> {
    precondition(
        MemoryLayout<Atomic<Value>>.size == MemoryLayout<Value>.size
            && Int(bitPattern: address) % MemoryLayout<Atomic<Value>>.alignment == 0,
        "the type has no atomic of its own size")
    return address.assumingMemoryBound(to: Atomic<Value>.self)
}

extension SharedArray {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(shared: region.object, for: self) }

    /// Finds the array that was sent.
    public init(from decoder: any Decoder) throws {
        let object = try decoder.sharedObject(.array, for: Self.self)
        let details = try SharedDetails(of: object, count: 2).numbers
        let count = Int(clamping: details[0])
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !overflow, details[1] == SharedLayout<Element>.fingerprint else {
            throw SharedStateError(
                .invalidArgument,
                "what was sent is no \(shortName(of: Self.self)); decode it with the elements it was made with")
        }
        self.count = count
        region = try SharedRegion(object, byteCount: size)
    }
}

extension SharedArray: CustomStringConvertible {
    /// What it is an array of, and how many.
    public var description: String { "\(shortName(of: Self.self))(\(count) elements)" }
}
