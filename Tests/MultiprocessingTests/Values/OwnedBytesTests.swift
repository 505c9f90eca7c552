import Multiprocessing
import TestSupport
import Testing

@Suite(.admitted)
struct OwnedBytesTests {
    @Test(arguments: [0, 1, 7, 300_000])
    func `The bytes are the array's own`(count: Int) throws {
        let numbers = (0..<count).map { UInt32($0) }
        let owned = try #require(OwnedBytes(numbers))
        numbers.withUnsafeBytes { bytes in
            #expect(owned.bytes.count == bytes.count)
            if count > 0 { #expect(owned.bytes.baseAddress == bytes.baseAddress) }
        }
    }

    @Test func `They stay when the array is changed or gone`() throws {
        var numbers = (0..<1_000).map { $0 }
        let owned = try #require(OwnedBytes(numbers))
        numbers[0] = 5
        numbers = []
        #expect(Array(owned.bytes.bindMemory(to: Int.self)) == Array(0..<1_000))
    }

    @Test func `They keep nothing when they are gone`() throws {
        var numbers = (0..<1_000).map { $0 }
        let address = numbers.withUnsafeBytes { $0.baseAddress }
        #expect(try #require(OwnedBytes(numbers)).bytes.baseAddress == address)
        // A change in place: there is no other to keep the old numbers for.
        numbers[0] = 5
        #expect(numbers.withUnsafeBytes { $0.baseAddress } == address)
    }
}
