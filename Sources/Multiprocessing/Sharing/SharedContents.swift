import MultiprocessingCoding
package import MultiprocessingSystem
import Synchronization

/// What this process has of something that processes share: one for each, whoever sent it and however often.
///
/// Handles have it through a ``SharedObject``. What came from another process keeps it too, so that handles that come
/// again find it mapped; it must not keep a ``SharedPresence``, or two processes could keep each other's for ever.
package final class SharedContents: Sendable {
    package let id: SharedID
    package let kind: SharedKind

    /// The memory, if it is mapped as a whole.
    package let pages: SharedPages?

    /// All that travels with it; the memory's comes first.
    package let descriptors: [OpenDescriptor]

    /// What else another process has to know.
    package let details: [UInt8]

    private struct State {
        weak var presence: SharedPresence?
        var local: (any AnyObject & Sendable)?
    }

    private let state = Mutex(State())

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

    deinit {
        // Another may have been made since, which is let go of outside of the lock.
        let other = Self.known.withLock { known in
            let other = known[id]?.contents
            if other == nil { known[id] = nil }
            return other
        }
        withExtendedLifetime(other) {}
    }

    /// What this process has made of it: mappings and the like, made once.
    ///
    /// - Parameter make: May be called by several threads at once; the first result counts. What it makes must not keep
    ///   the contents.
    package func local<Local: AnyObject & Sendable>(
        _ type: Local.Type = Local.self,
        _ make: (SharedContents) throws -> Local
    ) rethrows -> Local {
        if let known = state.withLock({ $0.local }) as? Local { return known }
        let new = try make(self)
        return state.withLock { state in
            if let first = state.local as? Local { return first }
            state.local = new
            return new
        }
    }

    /// What the objects of all handles have in common that were sent, made anew when there are none.
    func presence() -> SharedPresence {
        if let known = state.withLock({ $0.presence }) { return known }
        let new = SharedPresence(self)
        return state.withLock { state in
            if let first = state.presence { return first }
            state.presence = new
            return new
        }
    }

    // MARK: Those of this process

    private struct Known {
        weak var contents: SharedContents?
    }

    private static let known = Mutex<[SharedID: Known]>([:])

    /// Lets what comes back to this process be found.
    func register() {
        Self.known.withLock { $0[id] = Known(contents: self) }
    }

    // MARK: Other processes

    /// What another process is sent, besides the descriptors.
    var bytes: ByteBuffer {
        let bytes = ByteBuffer(capacity: 32 + details.count)
        bytes.append(id.rawValue)
        bytes.append(UInt64(kind.rawValue))
        bytes.append(UInt64(pages?.count ?? 0))
        details.withUnsafeBytes { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Finds or makes what another process has sent.
    static func received(_ bytes: ByteBuffer, _ descriptors: [OpenDescriptor]) throws -> SharedContents {
        let new = try bytes.withUnsafeBytes { bytes -> SharedContents in
            var reader = ByteReader(bytes)
            let id = SharedID(rawValue: try reader.read())
            if let known = known.withLock({ $0[id]?.contents }) { return known }
            let rawKind: UInt64 = try reader.read()
            let size: UInt64 = try reader.read()
            let details = Array(try reader.readBytes(reader.remaining))
            guard let kind = UInt8(exactly: rawKind).flatMap(SharedKind.init) else {
                throw PortableFailure.unexpectedAttachment
            }
            let pages = size == 0 ? nil : try map(descriptors.first, size)
            return SharedContents(id, kind, pages: pages, descriptors: descriptors, details: details)
        }
        return known.withLock { known in
            // Another thread may have been first.
            if let first = known[new.id]?.contents { return first }
            known[new.id] = Known(contents: new)
            return new
        }
    }

    private static func map(_ descriptor: OpenDescriptor?, _ size: UInt64) throws -> SharedPages {
        guard let descriptor else { throw PortableFailure.unexpectedAttachment }
        let pages: SharedPages
        do throws(SystemError) {
            pages = try SharedPages(mapping: descriptor)
        } catch {
            throw SharedStateError.system(error)
        }
        guard UInt64(pages.count) == size else { throw PortableFailure.unexpectedAttachment }
        return pages
    }
}
