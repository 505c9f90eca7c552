import MultiprocessingSystem

/// The memory of an array of numbers, into which a large payload is read, in as many pieces as it comes.
///
/// It is not touched before bytes come, so a length that is wrong costs addresses and no memory.
package final class ArrivingArray {
    /// A value larger than this, in bytes, is read into memory of its own.
    package static let largeSize = 256 << 10

    /// Nobody else has the array before it is complete, so nobody sees it change.
    private var array: (any Sendable)?

    /// The array's memory; good as long as the array is here.
    private let memory: UnsafeMutableRawBufferPointer

    /// How many bytes have come.
    package private(set) var filled = 0

    /// - Parameter size: In bytes.
    /// - Throws: When the size is not one of an array of this type, or so much memory is not to be had.
    package init<Number: FixedBits>(size: UInt64, of type: Number.Type) throws {
        guard let size = Int(exactly: size), size > 0, size % MemoryLayout<Number>.stride == 0 else {
            throw PortableFailure.noLength
        }
        // Any bits are numbers, and none is read before all have come.
        let count = size / MemoryLayout<Number>.stride
        let made = LargeMemory.ifAvailable(size) { [Number](unsafeUninitializedCapacity: count) { $1 = count } }
        guard let numbers = made else { throw PortableFailure.noMemory(size) }
        guard let bytes = OwnedBytes(numbers)?.bytes else { throw PortableFailure.noMemory(size) }
        memory = UnsafeMutableRawBufferPointer(mutating: bytes)
        array = numbers
        LargeMemory.preferLargePages(memory)
    }

    package var size: Int { memory.count }

    /// Where the next bytes go; empty when all have come.
    package var room: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: memory[filled...]) }

    /// Counts bytes that were written to the start of ``room``.
    package func advance(by count: Int) {
        precondition(count >= 0 && count <= size - filled, "no more bytes come than have room")
        filled += count
    }

    /// Copies the first of `bytes`, as many as have room, and removes them there.
    package func take(_ bytes: inout UnsafeRawBufferPointer) {
        let count = min(room.count, bytes.count)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
        advance(by: count)
    }

    /// The bytes that have come; good as long as the landing lives and its array was not taken.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<filled]) }

    /// Hands over the array, once.
    ///
    /// - Throws: When it is not complete, or of another type.
    package func takeArray<Number: FixedBits>(of type: Number.Type = Number.self) throws -> [Number] {
        // Looked at first because a cast between arrays would try each element.
        guard filled == size, let array, Swift.type(of: array) == [Number].self, let numbers = array as? [Number] else {
            throw PortableFailure.unexpectedArray
        }
        self.array = nil
        return numbers
    }
}
