import CMultiprocessing
public import Synchronization

/// A value that processes share: what one stores, all load.
///
/// It travels like any value: captured by a closure, as an input or an output, or inside another `Codable` value, to
/// workers and from them, at any time. A copy is the same value. Its type is one that is its bits and nothing else: a
/// number, `Bool`, or a structure or enumeration of such.
///
/// ```swift
/// let total = try SharedValue(0)
/// try await pool.forEach(files) { file in
///     let words = try count(file)
///     try total.withLock { $0 += words }
/// }
/// print(try await total.load())
/// ```
///
/// A value of up to eight bytes changes in one step: a process that dies while it changes it leaves the old one or the
/// new one.
public struct SharedValue<Value: BitwiseCopyable & Sendable>: Portable, Hashable {
    @usableFromInline let slot: SharedSlot

    /// Where the value begins: behind the lock, and the fingerprint of its type.
    @inlinable static var offset: Int { isSmall ? 16 : regionOffset }

    @usableFromInline static var regionOffset: Int { SharedRegion.headerSize }

    /// Whether a slot has room for it.
    @inlinable static var isSmall: Bool {
        MemoryLayout<Value>.size <= SharedSlot.size - 16 && MemoryLayout<Value>.alignment <= 16
    }

    /// Whether it is written and read as one word.
    @inlinable static var isWord: Bool { MemoryLayout<Value>.size <= 8 }

    private static var fingerprintOffset: Int { 8 }

    /// Makes a value that processes can share.
    ///
    /// - Throws: ``SharedStateError`` if the type's values mean nothing in another process, or the system has no memory
    ///   or descriptors left.
    public init(_ value: Value) throws {
        try SharedLayout<Value>.check(value)
        if Self.isSmall {
            slot = try SharedSlot.make()
        } else {
            let region = try SharedRegion.make(
                .value, byteCount: MemoryLayout<Value>.size, details: [], name: "multiprocessing-value")
            slot = SharedSlot(region.object, pointer: region.start - SharedRegion.headerSize)
        }
        slot.pointer.storeBytes(
            of: SharedLayout<Value>.fingerprint, toByteOffset: Self.fingerprintOffset, as: UInt64.self)
        write(value)
    }

    @inlinable var place: UnsafeMutableRawPointer { slot.pointer + Self.offset }

    @inlinable var lock: SharedLock { SharedLock(at: slot) }

    /// Reads the value where it lies: as a whole if it is a word, else only while the lock is held.
    @inlinable
    @inline(__always)
    func read() -> Value {
        guard Self.isWord else { return place.load(as: Value.self) }
        let word = ValueWord.load(place)
        return withUnsafeBytes(of: word) { $0.load(as: Value.self) }
    }

    /// Writes the value, while the lock is held.
    @inlinable
    @inline(__always)
    func write(_ value: Value) {
        guard Self.isWord else { return place.storeBytes(of: value, as: Value.self) }
        var word: UInt64 = 0
        withUnsafeMutableBytes(of: &word) { $0.storeBytes(of: value, as: Value.self) }
        ValueWord.store(word, place)
    }

    /// Has `body` change a copy, which then is the value, also if `body` throws.
    @inlinable
    @inline(__always)
    func change<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        var value = read()
        defer { write(value) }
        return try body(&value)
    }

    @inlinable
    nonisolated(nonsending) func change<Result>(
        _ body: (inout Value) async throws -> Result
    ) async rethrows -> Result {
        var value = read()
        defer { write(value) }
        return try await body(&value)
    }

    @inlinable
    func recovering(_ recover: ((DeadOwner, inout Value) throws -> Void)?) -> ((DeadOwner) throws -> Void)? {
        recover.map { recover in { dead in try change { try recover(dead, &$0) } } }
    }

    /// What one who died left of the value is written over as a whole.
    @inlinable static var overwriting: ((DeadOwner) throws -> Void)? { { _ in } }

    // MARK: With the lock

    /// Calls `body` with the value while no other caller of this has it, and returns what it returns.
    ///
    /// Blocks the calling thread while another has it. What `body` changes others see when it is over.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - recover: Puts the value in order if a process died while it had it, before `body`. Without it
    ///     ``SharedStateError/Code/ownerDied`` is thrown then.
    ///   - body: Gets the value, which it may change.
    /// - Throws: ``SharedStateError``, and what `recover` and `body` throw.
    @inlinable
    public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner, inout Value) throws -> Void)? = nil,
        _ body: (inout Value) throws -> Result
    ) throws -> Result {
        try lock.withLock(timeout: timeout, recover: recovering(recover)) { try change(body) }
    }

    /// Calls `body` with the value while no other caller of this has it, and returns what it returns.
    ///
    /// Suspends the task while another has it. Cancelling the task ends the wait, but not `body`. What `body` changes
    /// others see when it is over.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - recover: Puts the value in order if a process died while it had it, before `body`. Without it
    ///     ``SharedStateError/Code/ownerDied`` is thrown then.
    ///   - body: Gets the value, which it may change.
    /// - Throws: ``SharedStateError``, `CancellationError`, and what `recover` and `body` throw.
    @inlinable
    nonisolated(nonsending) public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner, inout Value) throws -> Void)? = nil,
        _ body: (inout Value) throws -> Result
    ) async throws -> Result {
        try await lock.withLock(timeout: timeout, recover: recovering(recover)) { try change(body) }
    }

    /// Calls `body` with the value while no other caller of this has it, and returns what it returns.
    ///
    /// Suspends the task while another has it, and holds the value over the suspensions of `body`. Cancelling the task
    /// ends the wait, but not `body`. What `body` changes others see when it is over.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - recover: Puts the value in order if a process died while it had it, before `body`. Without it
    ///     ``SharedStateError/Code/ownerDied`` is thrown then.
    ///   - body: Gets the value, which it may change.
    /// - Throws: ``SharedStateError``, `CancellationError`, and what `recover` and `body` throw.
    @inlinable
    nonisolated(nonsending) public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner, inout Value) throws -> Void)? = nil,
        _ body: (inout Value) async throws -> Result
    ) async throws -> Result {
        try await lock.withLock(timeout: timeout, recover: recovering(recover)) { try await change(body) }
    }

    /// The value; blocks the calling thread while another changes it, unless it has eight bytes or fewer.
    ///
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/ownerDied`` if it has more, and a process died
    ///   while it changed it.
    @inlinable
    public func load() throws -> Value {
        Self.isWord ? read() : try lock.withLock { read() }
    }

    /// The value; suspends the task while another changes it, unless it has eight bytes or fewer.
    ///
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/ownerDied`` if it has more, and a process died
    ///   while it changed it; `CancellationError`.
    @inlinable
    nonisolated(nonsending) public func load() async throws -> Value {
        if Self.isWord { return read() }
        return try await lock.withLock { read() }
    }

    /// Replaces the value; blocks the calling thread while another changes it.
    ///
    /// What a process left that died while it changed the value is in order again then.
    ///
    /// - Throws: ``SharedStateError``.
    @inlinable
    public func store(_ value: Value) throws {
        try lock.withLock(recover: Self.overwriting) { write(value) }
    }

    /// Replaces the value; suspends the task while another changes it.
    ///
    /// What a process left that died while it changed the value is in order again then.
    ///
    /// - Throws: ``SharedStateError``, and `CancellationError`.
    @inlinable
    nonisolated(nonsending) public func store(_ value: Value) async throws {
        try await lock.withLock(recover: Self.overwriting) { write(value) }
    }

    /// Calls `body` with the place of a number as an atomic.
    @inlinable
    func withAtomicPlace<Result>(
        _ body: (borrowing Atomic<Value>) throws -> Result
    ) rethrows -> Result where Value: AtomicRepresentable {
        try withExtendedLifetime(slot) { try body(atomicPlace(place).pointee) }
    }
}

/// A word of eight bytes that changes in one step.
@usableFromInline
enum ValueWord {
    @usableFromInline
    static func load(_ place: UnsafeMutableRawPointer) -> UInt64 { mp_load_acquire_u64(place) }

    @usableFromInline
    static func store(_ word: UInt64, _ place: UnsafeMutableRawPointer) { mp_store_release_u64(place, word) }
}

extension SharedValue where Value: AtomicRepresentable & FixedWidthInteger {
    /// Calls `body` with the value as an atomic, which no other atomic access to it can interrupt.
    ///
    /// Does not wait. `withLock(timeout:recover:_:)` and `store(_:)` know nothing of it: use the one or the other.
    @inlinable
    public func withAtomic<Result>(_ body: (borrowing Atomic<Value>) throws -> Result) rethrows -> Result {
        try withAtomicPlace(body)
    }
}

extension SharedValue where Value: AtomicRepresentable & BinaryFloatingPoint {
    /// Calls `body` with the value as an atomic, which no other atomic access to it can interrupt.
    ///
    /// Does not wait. `withLock(timeout:recover:_:)` and `store(_:)` know nothing of it: use the one or the other.
    @inlinable
    public func withAtomic<Result>(_ body: (borrowing Atomic<Value>) throws -> Result) rethrows -> Result {
        try withAtomicPlace(body)
    }
}

extension SharedValue where Value == Bool {
    /// Calls `body` with the value as an atomic, which no other atomic access to it can interrupt.
    ///
    /// Does not wait. `withLock(timeout:recover:_:)` and `store(_:)` know nothing of it: use the one or the other.
    @inlinable
    public func withAtomic<Result>(_ body: (borrowing Atomic<Value>) throws -> Result) rethrows -> Result {
        try withAtomicPlace(body)
    }
}

extension SharedValue {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws {
        if Self.isSmall {
            try encoder.encode(shared: slot, .value, for: self)
        } else {
            try encoder.encode(shared: slot.object, for: self)
        }
    }

    /// Finds the value that was sent.
    public init(from decoder: any Decoder) throws {
        if Self.isSmall {
            slot = try decoder.sharedSlot(.value, for: Self.self)
        } else {
            let object = try decoder.sharedObject(.value, for: Self.self)
            let region = try SharedRegion(object, byteCount: MemoryLayout<Value>.size)
            slot = SharedSlot(object, pointer: region.start - SharedRegion.headerSize)
        }
        let fingerprint = slot.pointer.load(fromByteOffset: Self.fingerprintOffset, as: UInt64.self)
        guard fingerprint == SharedLayout<Value>.fingerprint else {
            throw SharedStateError(
                .invalidArgument,
                "what was sent is no \(shortName(of: Self.self)); decode it with the type it was made with")
        }
    }
}

extension SharedValue: CustomStringConvertible {
    /// What it is; not the value, which may be another by then.
    public var description: String { shortName(of: Self.self) }
}
