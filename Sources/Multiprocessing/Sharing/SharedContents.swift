import MultiprocessingCoding
package import MultiprocessingSystem
import Synchronization

/// What this process has of something that processes share: one for each, whoever sent it and however often.
///
/// Handles have it through a ``SharedObject``. What came from another process keeps it too, so that handles that come
/// again find it mapped.
package final class SharedContents: Sendable {
    package let id: SharedID
    package let kind: SharedKind

    /// The memory, if it is mapped as a whole.
    package let pages: SharedPages?

    /// All that travels with it; the memory's comes first.
    package let descriptors: [OpenDescriptor]

    /// What else another process has to know.
    package let details: [UInt8]

    private let made = Mutex<(any AnyObject & Sendable)?>(nil)

    init(
        _ id: SharedID,
        _ kind: SharedKind,
        pages: SharedPages?,
        descriptors: [OpenDescriptor],
        details: [UInt8]
    ) {
        self.id = id
        self.kind = kind
        self.pages = pages
        self.descriptors = descriptors
        self.details = details
    }

    /// What this process has made of it: mappings and the like, made once.
    package func local<Local: AnyObject & Sendable>(
        _ type: Local.Type = Local.self,
        _ make: (SharedContents) throws -> Local
    ) throws -> Local {
        if let known = made.withLock({ $0 }) as? Local { return known }
        let new = try make(self)
        return made.withLock { made in
            if let first = made as? Local { return first }
            made = new
            return new
        }
    }
}
