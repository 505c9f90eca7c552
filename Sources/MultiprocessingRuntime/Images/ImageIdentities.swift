import CMultiprocessing
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
        if image.name.isEmpty { return facts(of: "/proc/self/exe").map(identity) }
        var mapped: (device: UInt64, inode: UInt64) = (0, 0)
        guard let address = image.segments.first?.range.lowerBound,
            mp_mapped_file(UnsafeRawPointer(bitPattern: address), &mapped.device, &mapped.inode)
        else { return nil }
        if let facts = facts(of: image.name), facts[0] == mapped.device, facts[1] == mapped.inode {
            return identity(facts)
        }
        return identity([mapped.device, mapped.inode])
    }

    /// A file's device, inode, size and time of change.
    private static func facts(of path: String) -> [UInt64]? {
        var facts = [UInt64](repeating: 0, count: 5)
        return mp_file_facts(path, &facts) ? facts : nil
    }

    private static func identity(_ facts: [UInt64]) -> ImageIdentity {
        facts.withUnsafeBytes { ImageIdentity($0) }
    }
}
