import Glibc
import Multiprocessing
import TestSupport
import Testing

@Suite(.admitted)
struct ArrivingArrayTests {
    /// Lets bytes land in pieces: by turns copied from elsewhere, and written to where they are to lie.
    private static func land(_ bytes: UnsafeRawBufferPointer, in landing: ArrivingArray, pieces: [Int]) {
        var rest = bytes
        for (index, size) in pieces.enumerated() {
            let count = min(size, rest.count)
            if index % 2 == 0 {
                var piece = UnsafeRawBufferPointer(rebasing: rest[..<count])
                landing.take(&piece)
                #expect(piece.isEmpty)
            } else {
                landing.room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
                landing.advance(by: count)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            #expect(landing.filled == bytes.count - rest.count)
        }
    }

    @Test(arguments: [[4_000], [1, 1, 3_998], [7, 100, 0, 3_000, 2_000], [2_000, 2_000]])
    func `An array is handed over when all of its bytes have come`(pieces: [Int]) throws {
        let numbers = (0..<500).map { $0 * $0 }
        let landing = try ArrivingArray(size: 4_000, of: Int.self)
        numbers.withUnsafeBytes { bytes in
            #expect(throws: (any Error).self) { try landing.takeArray(of: Int.self) }
            Self.land(bytes, in: landing, pieces: pieces)
            #expect(landing.room.isEmpty)
            #expect(landing.bytes.elementsEqual(bytes))
        }
        #expect(try landing.takeArray(of: Int.self) == numbers)
        #expect(throws: (any Error).self) { try landing.takeArray(of: Int.self) }
    }

    @Test func `Bytes that are too many stay where they are`() throws {
        let landing = try ArrivingArray(size: 3, of: UInt8.self)
        [UInt8](1...5).withUnsafeBytes { bytes in
            var rest = bytes
            landing.take(&rest)
            #expect(Array(rest) == [4, 5])
        }
        #expect(try landing.takeArray() == [1, 2, 3] as [UInt8])
    }

    @Test func `An incomplete array, and one of another type, is refused`() throws {
        let landing = try ArrivingArray(size: 8, of: Int64.self)
        landing.room.storeBytes(of: -1, as: Int64.self)
        landing.advance(by: 7)
        #expect(throws: (any Error).self) { try landing.takeArray(of: Int64.self) }
        landing.advance(by: 1)
        #expect(throws: (any Error).self) { try landing.takeArray(of: Int.self) }
        #expect(throws: (any Error).self) { try landing.takeArray(of: Double.self) }
        #expect(throws: (any Error).self) { try landing.takeArray(of: UInt8.self) }
        #expect(try landing.takeArray(of: Int64.self) == [-1])
    }

    @Test func `The array that is handed over is nobody else's`() throws {
        let landing = try ArrivingArray(size: 80, of: Int.self)
        landing.room.initializeMemory(as: UInt8.self, repeating: 0)
        landing.advance(by: 80)
        let address = landing.bytes.baseAddress
        var numbers = try landing.takeArray(of: Int.self)
        // A change in place: the landing has let go.
        numbers[3] = 1
        #expect(numbers.withUnsafeBytes { $0.baseAddress } == address)
    }

    @Test(arguments: [0, 1, 7, 9, .max, .max - 7, UInt64(Int.max), UInt64(Int.max) - 7, 1 << 62, 1 << 50])
    func `A length that cannot be is an error`(size: UInt64) {
        #expect(throws: (any Error).self) { try ArrivingArray(size: size, of: UInt64.self) }
    }

    @Test func `A length that is wrong costs no memory`() throws {
        let landing = try ArrivingArray(size: 256 << 20, of: UInt8.self)
        let page = sysconf(Int32(_SC_PAGESIZE))
        let room = landing.room
        let start = try #require(room.baseAddress).alignedUp(toMultipleOf: page)
        var residence = [UInt8](repeating: 0, count: (256 << 20) / page - 1)
        #expect(mincore(start, residence.count * page, &residence) == 0)
        // The page with the array's header may be a large one.
        #expect(residence.count { $0 & 1 != 0 } <= (2 << 20) / page)
    }
}
