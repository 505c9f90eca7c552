import MultiprocessingCoding
import MultiprocessingRuntime

/// How the values of a captured type lie in memory, and how they travel.
///
/// One rule holds for all captures, alone or beside others, in every build: a structure, enumeration or
/// tuple travels by its stored fields, each by this same rule, and so do the elements of arrays,
/// sets and dictionaries. What refers to storage that is not an object for the program (`Data`, an
/// ordered set, an indirect case) travels by its own `Codable`, as does what conforms to ``Portable``.
/// Objects, functions, pointers and existentials are refused.
///
/// Fields, because an optimized build keeps nothing else of most types: neither the conformance to
/// `Codable` nor metadata exists for a type that only a capture names. Values are never copied
/// or destroyed as a Swift type here, only part by part, so it does not matter whether there is one.
package protocol ValueShape: Sendable {
    /// The type's name for people.
    var name: String { get }

    var size: Int { get }

    var alignment: Int { get }

    /// How many patterns of bits are no value of the type, which an enumeration around it uses for other cases.
    ///
    /// The compiler calls them extra inhabitants.
    var spareCount: Int { get }

    /// Whether the values are the standard library's, whose `Codable` loses nothing.
    var isPlain: Bool { get }

    /// The number of the pattern at `place` that is no value, or `nil` for a value.
    func spare(at place: UnsafeRawPointer) -> Int?

    /// Writes the pattern with this number that is no value.
    func storeSpare(_ index: Int, at place: UnsafeMutableRawPointer)

    /// Appends the bytes of the value at `place`.
    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws

    /// Initializes the memory at `place`; on failure nothing is initialized.
    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws

    /// Destroys the value at `place`.
    func destroy(at place: UnsafeMutableRawPointer)
}

extension ValueShape {
    package var isPlain: Bool { false }
}

/// A shape that is a type's, whose own witnesses say how it lies in memory.
protocol TypedShape: ValueShape {
    var type: Any.Type { get }
}

extension TypedShape {
    package var name: String { readableName(of: type) }
    package var size: Int { ValueWitness(type).size }
    package var alignment: Int { ValueWitness(type).alignment }
    package var spareCount: Int { ValueWitness(type).spareCount }
    package func spare(at place: UnsafeRawPointer) -> Int? { ValueWitness(type).spare(at: place) }
    package func storeSpare(_ index: Int, at place: UnsafeMutableRawPointer) {
        ValueWitness(type).storeSpare(index, at: place)
    }
    package func destroy(at place: UnsafeMutableRawPointer) { ValueWitness(type).destroy(at: place) }
}
