import CMultiprocessing
import MultiprocessingRuntime
import MultiprocessingSystem

/// Failures that assertions of XCTest record in this worker.
///
/// XCTest tells them to the current test case and to nobody else, and drops them where there is
/// none. So there is one here: an object whose class is a copy of `XCTestCase` in memory, in which the
/// method that records a failure is replaced. The library is not linked, and its
/// source is what this goes by (XCTAssert.swift and XCTestCase.swift, the same since Swift 5). Unless
/// every name is found and the copy is as expected, nothing is done.
enum XCTestIssues {
    /// The mangled names of `XCTCurrentTestCase` and of `XCTestCase.recordFailure(withDescription:inFile:atLine:expected:)`.
    private static let currentTestCase: StaticString = "$s6XCTest18XCTCurrentTestCaseAA0aD0CSgvp"
    private static let recordFailure: StaticString =
        "$s6XCTest0A4CaseC13recordFailure15withDescription6inFile6atLine8expectedySS_SSSiSbtF"

    static func watch() {
        // The look-up by name goes through the types of every library, so it is for those who have this one.
        guard ThisProcess.symbol("$s6XCTest0A4CaseCMa") != nil, let type = _typeByName("6XCTest0A4CaseC") else {
            return
        }
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        let address = UInt(bitPattern: metadata)
        guard
            let image = ImageTable.find({ $0.image(containing: address..<address + 64, content: .data) }),
            let (variable, method) = symbols(of: image),
            ImageTable.isMapped(variable, count: MemoryLayout<UInt>.size, content: .data),
            let copy = ClassCopy(of: metadata, replacing: method, by: mp_test_failure_recorder()),
            let testCase = copy.makeObject()
        else { return }
        let place = UnsafeMutableRawPointer(mutating: variable)
        // No test runs in a worker, so there is no current test case, and nobody sets one.
        guard place.load(as: UInt.self) == 0 else { return }
        place.storeBytes(of: testCase, as: UnsafeMutableRawPointer.self)
    }

    /// Where the variable and the method are in this process; what is local to a library only its file tells.
    private static func symbols(of image: ImageTable.Image) -> (UnsafeRawPointer, UnsafeRawPointer)? {
        guard let file = try? MappedFile(image.name.isEmpty ? "/proc/self/exe" : image.name),
            let table = SymbolTable(file.bytes)
        else { return nil }
        defer { withExtendedLifetime(file) {} }
        var variable: UnsafeRawPointer?
        var method: UnsafeRawPointer?
        table.forEach(.object) { entry in
            if entry.nameEnds(with: currentTestCase) {
                variable = UnsafeRawPointer(bitPattern: image.base &+ entry.address)
            }
        }
        table.forEach(.function) { entry in
            if entry.nameEnds(with: recordFailure) {
                method = UnsafeRawPointer(bitPattern: image.base &+ entry.address)
            }
        }
        guard let variable, let method else { return nil }
        return (variable, method)
    }
}

/// A copy of a class's metadata with another method in one place.
///
/// The layout is that of `TargetClassMetadata` in include/swift/ABI/Metadata.h of the Swift project,
/// without the fields that only platforms with Objective-C have.
private struct ClassCopy {
    private let metadata: UnsafeMutableRawPointer
    private let instanceSize: Int
    private let alignmentMask: Int

    init?(of original: UnsafeRawPointer, replacing method: UnsafeRawPointer, by replacement: UnsafeRawPointer?) {
        let word = MemoryLayout<UInt>.size
        instanceSize = Int(original.load(fromByteOffset: 3 * word, as: UInt32.self))
        alignmentMask = Int(original.load(fromByteOffset: 3 * word + 4, as: UInt16.self))
        let size = Int(original.load(fromByteOffset: 4 * word, as: UInt32.self))
        let addressPoint = Int(original.load(fromByteOffset: 4 * word + 4, as: UInt32.self))
        guard let replacement, original.load(as: UInt.self) == 0, instanceSize >= 2 * word,
            alignmentMask & (alignmentMask + 1) == 0, addressPoint >= 2 * word, addressPoint < size, size % word == 0,
            ImageTable.isMapped(original - addressPoint, count: size, content: .data)
        else { return nil }

        let copy = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        copy.copyMemory(from: original - addressPoint, byteCount: size)
        let words = UnsafeMutableBufferPointer(
            start: copy.assumingMemoryBound(to: UnsafeRawPointer?.self), count: size / word)
        let places = words.indices.filter { words[$0] == method }
        guard places.count == 1 else {
            copy.deallocate()
            return nil
        }
        words[places[0]] = replacement
        metadata = copy + addressPoint
    }

    /// An object that lives for ever, with zero in each of its fields.
    func makeObject() -> UnsafeMutableRawPointer? {
        guard let object = mp_swift_allocate(metadata, instanceSize, alignmentMask) else { return nil }
        let header = 2 * MemoryLayout<UInt>.size
        (object + header).initializeMemory(as: UInt8.self, repeating: 0, count: instanceSize - header)
        return object
    }
}

/// Stands for `XCTestCase.recordFailure`, whose `self` it does not look at; see `tools.c`.
@_silgen_name("mp_test_failure_recorded")
func recordTestFailure(_ description: String, _ file: String, _ line: Int, _ expected: Bool) {
    RecordedIssues.add("\(description) (\(file):\(line))")
}
