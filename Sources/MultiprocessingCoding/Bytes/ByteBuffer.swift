internal import CMultiprocessing

/// Growable raw memory that bytes are appended to.
///
/// A class, so that encoders and a transport share one without copying, and so that
/// it can be kept and reused.
// Sendable is unchecked because a buffer has one owner at a time: it is handed over
// between threads, and nothing reads or writes it before the hand-over is complete.
package final class ByteBuffer: @unchecked Sendable {
    // Exclusivity is unchecked because no access to these properties lasts longer than
    // one load or store: they are never passed inout.
    @exclusivity(unchecked)
    private var base: UnsafeMutableRawPointer

    @exclusivity(unchecked)
    private var capacity: Int

    /// The number of bytes appended so far.
    @exclusivity(unchecked)
    package private(set) var count = 0

    /// Makes an empty buffer with room for `capacity` bytes.
    package init(capacity: Int = 256) {
        precondition(capacity >= 0, "a buffer's capacity is not negative")
        self.capacity = max(capacity, 64)
        base = Self.check(mp_allocate(self.capacity))
    }

    deinit {
        mp_free(base)
    }

    // MARK: Appending

    /// Appends a fixed-width integer or floating-point number in native byte order.
    @inline(__always)
    package func append<T: BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        (base + count).storeBytes(of: value, as: T.self)
        count &+= MemoryLayout<T>.size
    }

    /// Appends an unsigned integer in one to ten bytes, seven bits in each, lowest first.
    @inline(__always)
    package func append(varint value: UInt64) {
        reserve(10)
        var rest = value
        while rest >= 0x80 {
            (base + count).storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            count &+= 1
            rest &>>= 7
        }
        (base + count).storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        count &+= 1
    }

    package func append(contentsOf bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        append(uninitialized: bytes.count).copyMemory(from: source, byteCount: bytes.count)
    }

    /// Makes room for `byteCount` bytes and returns where the caller writes them.
    ///
    /// The pointer is good until the next call that changes the buffer.
    @inline(__always)
    package func append(uninitialized byteCount: Int) -> UnsafeMutableRawPointer {
        precondition(byteCount >= 0, "a byte count is not negative")
        reserve(byteCount)
        defer { count &+= byteCount }
        return base + count
    }

    /// Appends a tag byte and, behind it, the low `payloadSize` bytes of `payload`.
    @inline(__always)
    func append(tag: UInt8, payload: UInt64, payloadSize: Int) {
        reserve(9)
        (base + count).storeBytes(of: tag, as: UInt8.self)
        (base + count + 1).storeBytes(of: payload, as: UInt64.self)
        count &+= 1 &+ payloadSize
    }

    // MARK: Changing what is there

    /// Replaces the bytes at `offset` with those of `value`.
    package func overwrite<T: BitwiseCopyable>(at offset: Int, with value: T) {
        precondition(offset >= 0 && offset <= count - MemoryLayout<T>.size, "only bytes that were appended change")
        (base + offset).storeBytes(of: value, as: T.self)
    }

    /// Opens a gap of `byteCount` bytes at `offset` by moving what follows.
    func insertGap(of byteCount: Int, at offset: Int) {
        precondition(offset >= 0 && offset <= count, "a gap opens inside the buffer or at its end")
        let tail = count - offset
        _ = append(uninitialized: byteCount)
        (base + offset + byteCount).copyMemory(from: base + offset, byteCount: tail)
    }

    /// Removes a range by moving what follows.
    func remove(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "only bytes that were appended are removed")
        (base + range.lowerBound).copyMemory(from: base + range.upperBound, byteCount: count - range.upperBound)
        count -= range.count
    }

    /// Moves a range within the buffer; the two may overlap.
    func move(_ range: Range<Int>, to offset: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "only bytes that were appended move")
        precondition(offset >= 0 && offset <= count - range.count, "bytes move within the buffer")
        (base + offset).copyMemory(from: base + range.lowerBound, byteCount: range.count)
    }

    /// Copies another buffer's bytes over those at `offset`.
    func overwrite(at offset: Int, withContentsOf other: ByteBuffer) {
        precondition(offset >= 0 && offset <= count - other.count, "only bytes that were appended change")
        (base + offset).copyMemory(from: other.base, byteCount: other.count)
    }

    /// Drops every byte from `newCount` on.
    package func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "a buffer is cut within its bytes")
        count = newCount
    }

    /// Drops all bytes, and the memory too unless `keepingCapacity` is true.
    package func removeAll(keepingCapacity: Bool = false) {
        count = 0
        guard !keepingCapacity, capacity > 256 else { return }
        base = Self.check(mp_reallocate(base, 256))
        capacity = 256
    }

    // MARK: Reading

    /// Calls `body` with the bytes; they are good until `body` returns.
    package func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Whether the bytes are those of another buffer.
    package func isEqual(to other: ByteBuffer) -> Bool {
        count == other.count && mp_are_equal(base, other.base, count)
    }

    /// The byte at `offset`.
    @inline(__always)
    package subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count, "only bytes that were appended are read")
        return base.load(fromByteOffset: offset, as: UInt8.self)
    }

    // MARK: Memory

    /// Makes room for `byteCount` more bytes.
    @inline(__always)
    package func reserve(_ byteCount: Int) {
        if capacity &- count < byteCount { grow(by: byteCount) }
    }

    @inline(never)
    private func grow(by byteCount: Int) {
        let needed = count + byteCount
        capacity = max(needed, capacity.multipliedReportingOverflow(by: 2).partialValue)
        base = Self.check(mp_reallocate(base, capacity))
    }

    /// Memory that the system does not grant ends the process, as it does for an `Array`.
    private static func check(_ memory: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
        guard let memory else { fatalError("out of memory") }
        return memory
    }
}
