/// The place of a descriptor of the runtime's, together with what has to be there.
///
/// A descriptor holds flags and relative pointers only, so its bytes are the same in every process
/// that loads the same file. The runtime trusts descriptors blindly; an address that was damaged, or that
/// came from another build, must not reach it.
package struct DescriptorReference: Hashable, Sendable {
    private let address: ImageAddress
    private let fingerprint: UInt32

    /// How many bytes every descriptor of a type or a protocol has at least.
    static let minimumSize = 24

    /// Names the descriptor at `pointer`.
    package init(_ pointer: UnsafeRawPointer) throws(NotPortable) {
        address = try ImageAddress(pointer, count: Self.minimumSize, content: .data)
        fingerprint = Self.fingerprint(of: pointer)
    }

    /// Finds the descriptor in this process.
    package func resolve() throws(NotPortable) -> UnsafeRawPointer {
        let pointer = try address.resolve(count: Self.minimumSize, content: .data)
        guard Self.fingerprint(of: pointer) == fingerprint else {
            throw .damaged("an address holds another descriptor than in the process that sent it")
        }
        return pointer
    }

    /// The FNV-1a hash of the bytes that every descriptor has.
    private static func fingerprint(of pointer: UnsafeRawPointer) -> UInt32 {
        UnsafeRawBufferPointer(start: pointer, count: minimumSize).reduce(0x811C_9DC5) { hash, byte in
            (hash ^ UInt32(byte)) &* 0x0100_0193
        }
    }

    package func encode(into bytes: inout [UInt8]) {
        address.encode(into: &bytes)
        bytes.append(number: UInt(fingerprint))
    }

    package init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        address = try ImageAddress(decoding: &reader)
        fingerprint = UInt32(truncatingIfNeeded: try reader.readNumber())
    }
}
