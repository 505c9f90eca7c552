import MultiprocessingSystem

/// Bytes that processes share: what one writes, all read, and nothing is copied.
///
/// It travels like any value: captured by a closure, as an input or an output, or inside another `Codable` value, to
/// workers and from them, at any time. A copy is the same memory. It has no name in any file system, and ends with its
/// last handle in any process.
///
/// ```swift
/// let image = try SharedMemory(byteCount: width * height)
/// try await pool.forEach(0..<height) { row in
///     image.withBytes { bytes in
///         for column in 0..<width {
///             bytes.storeBytes(
///                 of: shade(row, column),
///                 toByteOffset: row * width + column, as: UInt8.self)
///         }
///     }
/// }
/// ```
public struct SharedMemory: Portable, Hashable {
    /// How many bytes there are.
    public let byteCount: Int

    private let region: SharedRegion

    /// Makes memory in which every byte is zero.
    ///
    /// A page takes memory when it is first touched.
    ///
    /// - Parameter byteCount: At least one.
    /// - Throws: ``SharedStateError`` if there are no bytes, or the system has no memory or descriptors left.
    public init(byteCount: Int) throws {
        guard byteCount > 0 else {
            throw SharedStateError(
                .invalidArgument, "memory of \(byteCount) bytes cannot be shared; ask for one byte or more")
        }
        self.byteCount = byteCount
        region = try SharedRegion.make(
            .memory, byteCount: byteCount, details: SharedDetails([UInt64(byteCount)]).bytes,
            name: "multiprocessing-memory")
    }

    /// Calls `body` with the bytes, which others may write at the same time, and returns what it returns.
    ///
    /// Does not wait. Bytes that one process writes while another reads or writes them have any value: let each have
    /// its part, or use `withLock(timeout:recover:_:)`.
    public func withBytes<Result>(_ body: (inout MutableRawSpan) throws -> Result) rethrows -> Result {
        var span = bytes.mutableBytes
        return try body(&span)
    }

    /// Calls `body` with the memory, for functions that take a pointer; as ``withBytes(_:)``.
    ///
    /// - Parameter body: The memory stays mapped until it returns.
    public func withUnsafeBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(region) { try body(bytes) }
    }

    /// Calls `body` with the bytes while no other caller of this has them, and returns what it returns.
    ///
    /// Blocks the calling thread while another has them.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - recover: Puts the bytes in order if a process died while it had them, before `body`.
    ///   - body: Gets the bytes, which it may change.
    /// - Throws: ``SharedStateError``, and what `recover` and `body` throw.
    public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner, inout MutableRawSpan) throws -> Void)? = nil,
        _ body: (inout MutableRawSpan) throws -> Result
    ) throws -> Result {
        try region.lock.withLock(timeout: timeout, recover: recovering(recover)) { try withBytes(body) }
    }

    /// Calls `body` with the bytes while no other caller of this has them, and returns what it returns.
    ///
    /// Suspends the task while another has them. Cancelling the task ends the wait, but not `body`.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - recover: Puts the bytes in order if a process died while it had them, before `body`.
    ///   - body: Gets the bytes, which it may change.
    /// - Throws: ``SharedStateError``, and what `recover` and `body` throw.
    nonisolated(nonsending) public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner, inout MutableRawSpan) throws -> Void)? = nil,
        _ body: (inout MutableRawSpan) throws -> Result
    ) async throws -> Result {
        try await region.lock.withLock(timeout: timeout, recover: recovering(recover)) { try withBytes(body) }
    }

    private func recovering(
        _ recover: ((DeadOwner, inout MutableRawSpan) throws -> Void)?
    ) -> ((DeadOwner) throws -> Void)? {
        recover.map { recover in { dead in try withBytes { try recover(dead, &$0) } } }
    }

    private var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: region.start, count: byteCount)
    }
}

extension SharedMemory {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(shared: region.object, for: self) }

    /// Finds the memory that was sent.
    public init(from decoder: any Decoder) throws {
        let object = try decoder.sharedObject(.memory, for: Self.self)
        byteCount = Int(clamping: try SharedDetails(of: object, count: 1).numbers[0])
        region = try SharedRegion(object, byteCount: byteCount)
    }
}

extension SharedMemory: CustomStringConvertible {
    /// How large it is.
    public var description: String { "SharedMemory(\(byteCount) bytes)" }
}
