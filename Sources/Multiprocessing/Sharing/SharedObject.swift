import MultiprocessingCoding
package import MultiprocessingSystem
import Synchronization

/// Something that processes share, as a handle in this process and its copies hold it.
///
/// Each handle that came has one of its own, so that counting its copies is quick: what all have in common is referred
/// to weakly, which makes that slow, and by several threads at once.
package final class SharedObject: Sendable {
    package let contents: SharedContents
    /// There once it was sent.
    private let presence = Mutex<SharedPresence?>(nil)

    package var id: SharedID { contents.id }
    package var kind: SharedKind { contents.kind }
    package var pages: SharedPages? { contents.pages }
    package var descriptors: [OpenDescriptor] { contents.descriptors }
    package var details: [UInt8] { contents.details }

    init(_ contents: SharedContents) {
        self.contents = contents
    }

    /// Makes something new of memory and other descriptors, which any process may be sent.
    ///
    /// - Parameters:
    ///   - pages: The memory, if it is mapped as a whole here and elsewhere.
    ///   - descriptors: What travels besides; at most 250.
    ///   - details: What another process has to know of it; at most 64 KiB.
    package static func make(
        _ kind: SharedKind,
        pages: SharedPages?,
        descriptors: [OpenDescriptor] = [],
        details: [UInt8] = []
    ) throws(SharedStateError) -> SharedObject {
        make(try .next(), kind, pages: pages, descriptors: descriptors, details: details)
    }

    static func make(
        _ id: SharedID,
        _ kind: SharedKind,
        pages: SharedPages?,
        descriptors: [OpenDescriptor] = [],
        details: [UInt8] = []
    ) -> SharedObject {
        precondition(descriptors.count <= 250 && details.count <= 1 << 16, "what one message carries")
        let all = (pages.map { [$0.descriptor] } ?? []) + descriptors
        let contents = SharedContents(id, kind, pages: pages, descriptors: all, details: details)
        contents.register()
        return SharedObject(contents)
    }

    /// What other processes are sent.
    package var attachment: Attachment {
        presence.withLock { presence in
            let found = presence ?? contents.presence()
            presence = found
            return found
        }.attachment
    }

    /// Finds or makes what another process has sent.
    ///
    /// - Throws: If it makes no sense, or cannot be mapped.
    package static func received(_ attachment: Attachment) throws -> SharedObject {
        let contents = try attachment.object(SharedContents.self, keepsBytes: false) { bytes in
            try SharedContents.received(bytes, attachment.descriptors)
        }
        return SharedObject(contents)
    }
}

/// What is there as long as a handle in this process holds something that processes share, and has sent it.
///
/// The thing travels as an ``Attachment``. A process that was sent it may forget it when this goes.
final class SharedPresence: Sendable {
    private let contents: SharedContents
    private let sent = Mutex<Attachment?>(nil)

    init(_ contents: SharedContents) {
        self.contents = contents
    }

    var attachment: Attachment {
        sent.withLock { sent in
            if let sent { return sent }
            let made = Attachment(contents.bytes, descriptors: contents.descriptors)
            sent = made
            return made
        }
    }
}

extension SharedID {
    private static let count = Atomic<UInt64>(0)

    /// Names something that this process makes.
    ///
    /// - Parameter count: How many names in a row it has, the first of which is returned.
    package static func next(_ count: UInt64 = 1) throws(SharedStateError) -> SharedID {
        let number: UInt32
        do throws(SystemError) {
            number = try LifePage.current.number
        } catch {
            throw .system(error)
        }
        return SharedID(creator: number, count: Self.count.add(count, ordering: .relaxed).oldValue)
    }
}

extension SharedObject: Hashable {
    package static func == (first: SharedObject, second: SharedObject) -> Bool { first.id == second.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
