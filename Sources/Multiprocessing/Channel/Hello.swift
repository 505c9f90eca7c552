import Glibc
import MultiprocessingCoding

/// What a worker says first: proof that it runs the very executable that its parent runs.
///
/// Code and types are named by their place in the executable, so two that differ in one byte
/// would misunderstand each other.
struct Hello: Equatable {
    private static let magic: UInt64 = 0x6D75_6C74_6970_726F

    let device: UInt64
    let inode: UInt64
    let size: Int64

    /// The executable of this process.
    static let own: Hello? = {
        var status = stat()
        // The link leads to the inode that runs, even when another file has taken its path.
        guard stat("/proc/self/exe", &status) == 0 else { return nil }
        return Hello(device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size))
    }()

    func append(to buffer: ByteBuffer) {
        buffer.append(Self.magic)
        buffer.append(device)
        buffer.append(inode)
        buffer.append(size)
    }

    static func read(from reader: inout ByteReader) throws -> Hello {
        guard try reader.read(UInt64.self) == magic else { throw PortableFailure.wrongExecutable }
        return Hello(device: try reader.read(), inode: try reader.read(), size: try reader.read())
    }
}
