import Foundation

/// What a process has open of what processes share.
struct OpenThings: Codable, Sendable, Equatable {
    /// Descriptors of shared memory.
    let descriptors: Int
    /// Mappings of it.
    let mappings: Int

    /// Those of this process.
    ///
    /// - Parameter name: What the memory is called.
    static func count(_ name: String = "multiprocessing-memory") throws -> OpenThings {
        let folder = "/proc/self/fd"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            // The folder's own descriptor is gone by now.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            return target?.contains(name) ?? false
        }
        let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        return OpenThings(
            descriptors: files.count,
            mappings: maps.split(separator: "\n").count { $0.contains(name) })
    }
}
