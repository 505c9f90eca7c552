import MultiprocessingCoding
import MultiprocessingRuntime

/// What a worker says first: proof that it runs the very executable that its parent runs, and the same libraries.
///
/// Code and types are named by their place in the executable or a library, so two that differ in one
/// byte would misunderstand each other. The files of a program that runs may be replaced by another
/// build at any time, and a worker that starts later loads what it finds.
struct Hello {
    private static let magic: UInt64 = 0x6D75_6C74_6970_726F

    /// Each image's path, which is empty for the executable, and which build it is.
    let images: [(name: String, identity: ImageIdentity)]

    init(_ table: ImageTable) {
        images = table.images.map { ($0.name, $0.identity) }
    }

    /// The path of the first image that is another build in `table`, or `nil` if all agree.
    ///
    /// An image that only one of the two has loaded is not compared: what work names in it says so itself.
    func difference(from table: ImageTable) -> String? {
        images.first { name, identity in
            guard let image = table.image(named: name) else { return false }
            return image.identity != identity
        }?.name
    }

    func append(to buffer: ByteBuffer) {
        buffer.append(Self.magic)
        buffer.append(varint: UInt64(images.count))
        for (name, identity) in images {
            var name = name
            name.withUTF8 { bytes in
                buffer.append(varint: UInt64(bytes.count))
                buffer.append(contentsOf: UnsafeRawBufferPointer(bytes))
            }
            buffer.append(identity.hash)
        }
    }

    init(from reader: inout ByteReader) throws {
        guard try reader.read(UInt64.self) == Self.magic else { throw PortableFailure.wrongExecutable }
        var images: [(String, ImageIdentity)] = []
        for _ in 0..<(try reader.readCount(unit: 9)) {
            let name = try reader.readText(try reader.readCount())
            images.append((name, ImageIdentity(hash: try reader.read())))
        }
        guard images.first?.0 == "" else { throw PortableFailure.wrongExecutable }
        self.images = images
    }
}
