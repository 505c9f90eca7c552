import Foundation

/// What a process has open: all descriptors but those of event loops, and the mappings of memory that processes share.
struct OpenThings: Codable, Sendable, Equatable {
    let descriptors: Int
    let mappings: Int
    /// What the descriptors stand for, for who looks for a lost one.
    let names: [String]

    /// Those of this process.
    static func count() throws -> OpenThings {
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let names = files.compactMap {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.filter { !$0.isNumber }
        }.filter { name in
            // Dispatch opens those when it first waits for a time.
            !["anon_inode:[event", "anon_inode:[timer"].contains { name.hasPrefix($0) }
        }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps"))
        // The kernel hands it out in pieces.
        let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        try file.close()
        return OpenThings(
            descriptors: names.count, mappings: maps.split(separator: "\n").count { $0.contains("memfd:") },
            names: names.sorted())
    }

    /// Whether there are no more than those, but for a few.
    func isWithin(_ expected: OpenThings, slack: Int = 0) -> Bool {
        descriptors <= expected.descriptors + slack && mappings <= expected.mappings + slack
    }

    /// Those of this process when they are so few, or after a while.
    static func settled(
        at expected: OpenThings, slack: Int = 0, _ count: () async throws -> OpenThings = count
    ) async throws
        -> OpenThings
    {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while true {
            let now = try await count()
            if now.isWithin(expected, slack: slack) || clock.now > deadline { return now }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
