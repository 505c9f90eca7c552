package import MultiprocessingCoding

/// Bytes where they lie, and what keeps them there.
///
/// Sendable is unchecked because of the pointer: what it points to does not change while the owner is kept.
package struct OwnedBytes: @unchecked Sendable {
    package var bytes: UnsafeRawBufferPointer
    private let owner: any Sendable

    /// The descriptors that have to be on their way before these bytes.
    package var announced: AnnouncedDescriptors?

    /// A part of a buffer that is not written any more.
    package init(_ buffer: ByteBuffer, _ range: Range<Int>) {
        bytes = buffer.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[range]) }
        owner = buffer
    }

    /// The elements of an array.
    ///
    /// - Returns: `nil` when they do not lie in the array's storage.
    package init?<Number: FixedBits>(_ array: [Number]) {
        // An array is one reference to its storage, in which the elements lie behind a header of 32 bytes.
        guard MemoryLayout<[Number]>.size == MemoryLayout<UnsafeRawPointer>.size else { return nil }
        let storage = unsafeBitCast(array, to: UnsafeRawPointer.self)
        // Safe outside of the closure: checked to be part of the storage, which the owner keeps and nobody changes.
        bytes = array.withUnsafeBytes { $0 }
        guard bytes.baseAddress == storage + 32 else { return nil }
        owner = array
    }
}
