/// Which build of a file an image is: a hash of what tells it from all others.
///
/// That is the build id that linkers compute of an image's content. An image without one goes by the
/// file that is mapped: its device and inode, and its size and time of change, as they were when
/// the image was first looked at.
package struct ImageIdentity: Hashable, Sendable {
    package let hash: UInt64

    /// Stands for an image of which nothing can be learned; it is taken for the same as any other such.
    package static let unknown = ImageIdentity(hash: 0)

    package init(hash: UInt64) {
        self.hash = hash
    }

    /// The 64-bit FNV-1a hash (Fowler, Noll, Vo) of `bytes`.
    package init(_ bytes: UnsafeRawBufferPointer) {
        hash = bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(number: UInt(hash))
    }

    package init(decoding reader: inout ReferenceReader) throws(NotPortable) {
        hash = UInt64(try reader.readNumber())
    }
}
