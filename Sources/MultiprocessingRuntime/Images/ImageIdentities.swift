import Glibc
import Synchronization

/// What each image of this process was when it was first looked at.
///
/// Images without a build id are told apart by the files that they are mapped from. The file that a path
/// leads to need not be the one that is mapped, so the kernel's list of mappings says which inode that is.
final class ImageIdentities: Sendable {
    static let shared = ImageIdentities()

    private struct Known {
        let name: String
        let identity: ImageIdentity
    }

    /// What is known never changes, though the memory of an image does when its file is overwritten in place.
    private let known = Mutex<[UInt: Known]>([:])

    /// - Parameter image: An image as it is now, of which no more than its build id was looked at.
    func identity(of image: ImageTable.Image) -> ImageIdentity {
        if let known = known.withLock({ $0[image.base] }), known.name == image.name { return known.identity }
        let found = image.identity == .unknown ? Self.find(image) ?? .unknown : image.identity
        known.withLock { $0[image.base] = Known(name: image.name, identity: found) }
        return found
    }

    private static func find(_ image: ImageTable.Image) -> ImageIdentity? {
        // The link leads to the inode that runs, even when another file has taken its path, or none.
        if image.name.isEmpty { return status(of: "/proc/self/exe").map(identity) }
        guard let mapped = mappedFile(at: image) else { return nil }
        if let status = status(of: image.name), status.st_ino == mapped.inode, status.st_dev == mapped.device {
            return identity(status)
        }
        return identity([UInt64(mapped.device), UInt64(mapped.inode)])
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    private static func identity(_ status: stat) -> ImageIdentity {
        identity([
            UInt64(status.st_dev), UInt64(status.st_ino), UInt64(bitPattern: Int64(status.st_size)),
            UInt64(bitPattern: Int64(status.st_mtim.tv_sec)), UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)),
        ])
    }

    private static func identity(_ facts: [UInt64]) -> ImageIdentity {
        facts.withUnsafeBytes { ImageIdentity($0) }
    }

    /// The device and inode of the mapping that holds an image's first segment.
    private static func mappedFile(at image: ImageTable.Image) -> (device: dev_t, inode: ino_t)? {
        guard let address = image.segments.first?.range.lowerBound, let mappings = fopen("/proc/self/maps", "re") else {
            return nil
        }
        defer { fclose(mappings) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, mappings) > 0, let line {
            // "7f16…000-7f16…000 r-xp 00000000 fe:00 16458422  /usr/lib/libexample.so"
            let fields = String(cString: line).split(separator: " ", maxSplits: 5).prefix(5)
            guard fields.count == 5 else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, bounds[0] <= address, address < bounds[1] else { continue }
            let numbers = fields[3].split(separator: ":").compactMap { UInt32($0, radix: 16) }
            guard numbers.count == 2, let inode = ino_t(fields[4]), inode != 0 else { return nil }
            return (device(major: numbers[0], minor: numbers[1]), inode)
        }
        return nil
    }

    /// The number that `stat` has for a device, as the macro `makedev` puts it together.
    private static func device(major: UInt32, minor: UInt32) -> dev_t {
        let high = dev_t(major & 0xFFFF_F000) << 32 | dev_t(major & 0xFFF) << 8
        let low = dev_t(minor & 0xFFFF_FF00) << 12 | dev_t(minor & 0xFF)
        return high | low
    }
}
