import MultiprocessingRuntime
import MultiprocessingSystem

/// Memory of its own that processes share: a lock, and behind it what the lock guards.
struct SharedRegion: @unchecked Sendable {
    // Sendable: the object keeps what the pointer leads to, and those who use it say how.

    let object: SharedObject

    /// Where the contents begin.
    let start: UnsafeMutableRawPointer

    /// What stands before the contents, the lock first; a multiple of the strictest alignment that is taken.
    static let headerSize = 64

    /// How many bytes may be asked for: more than any machine has.
    private static let sizeLimit = 1 << 46

    /// Makes a region that reads as zero.
    ///
    /// - Parameters:
    ///   - byteCount: The size of the contents.
    ///   - details: What another process has to know of them.
    ///   - name: What `/proc/<pid>/maps` shows.
    static func make(
        _ kind: SharedKind,
        byteCount: Int,
        details: [UInt8],
        name: String
    ) throws(SharedStateError) -> SharedRegion {
        guard byteCount <= sizeLimit else {
            throw SharedStateError(
                .invalidArgument, "\(byteCount) bytes are more than processes can share; ask for less")
        }
        let pages = try SharedPages.make(size: headerSize + byteCount, name: name)
        return SharedRegion(try SharedObject.make(kind, pages: pages, details: details), pages)
    }

    /// - Parameter byteCount: How many bytes the contents have at least.
    /// - Throws: If what came has no room for them.
    init(_ object: SharedObject, byteCount: Int) throws(SharedStateError) {
        guard let pages = object.pages, byteCount >= 0, byteCount <= pages.count - Self.headerSize else {
            throw SharedStateError(.damaged, "a handle came whose memory is smaller than it says; make a new one")
        }
        self.init(object, pages)
    }

    private init(_ object: SharedObject, _ pages: SharedPages) {
        self.object = object
        start = pages.bytes.baseAddress.unsafelyUnwrapped + Self.headerSize
    }

    var lock: SharedLock { SharedLock(at: SharedSlot(object, pointer: start - Self.headerSize)) }
}

extension SharedRegion: Hashable {
    static func == (first: SharedRegion, second: SharedRegion) -> Bool { first.object == second.object }
    func hash(into hasher: inout Hasher) { hasher.combine(object) }
}
