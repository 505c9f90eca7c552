internal import CMultiprocessing

/// What all encoders of one call share.
final class EncodingStorage {
    /// What values find in `userInfo`, as far as it is known.
    private(set) var knownUserInfo: [CodingUserInfoKey: any Sendable]?

    private let makeUserInfo: (() -> [CodingUserInfoKey: any Sendable])?

    /// Where the stack of the thread that encodes is too short to go on.
    // Exclusivity is unchecked because it changes only between calls.
    @exclusivity(unchecked)
    private var stackLimit: UInt = 0

    /// Encoders of nested containers that are done and can be used again.
    private var idle: [ValueEncoder] = []

    /// The keys of the message, if it is to name its keys itself; else it uses those of the process's table.
    let ownKeys: MessageKeys?

    init(
        userInfo: [CodingUserInfoKey: any Sendable]?,
        making makeUserInfo: (() -> [CodingUserInfoKey: any Sendable])?,
        ownKeys: MessageKeys? = nil
    ) {
        self.ownKeys = ownKeys
        knownUserInfo = userInfo
        self.makeUserInfo = makeUserInfo
    }

    /// Made when a value first asks, since few do.
    var userInfo: [CodingUserInfoKey: any Sendable] {
        if let knownUserInfo { return knownUserInfo }
        let made = makeUserInfo?() ?? [:]
        knownUserInfo = made
        return made
    }

    // Exclusivity is unchecked because no access lasts longer than one load or store.
    @exclusivity(unchecked) private var lastObject = LastUserObject()

    func userObject(_ key: CodingUserInfoKey) -> AnyObject? {
        if let known = lastObject.find(key) { return known }
        let found = userInfo[key] as AnyObject?
        lastObject.note(found, key)
        return found
    }

    /// Begins a call on this thread.
    func begin() {
        stackLimit = mp_stack_limit()
    }

    /// The number by which the message speaks of a key of the process's table.
    @inline(__always)
    func number(ofKey index: UInt32) -> UInt64 {
        ownKeys.map { $0.number(of: index) } ?? UInt64(index)
    }

    /// Whether another level of nesting fits on the stack.
    @inline(__always)
    var hasStack: Bool { mp_stack_position() > stackLimit }

    /// An encoder with a buffer of its own.
    func makeDetachedEncoder() -> ValueEncoder {
        if var encoder = idle.popLast(), isKnownUniquelyReferenced(&encoder) { return encoder }
        return ValueEncoder(storage: self, buffer: ByteBuffer(capacity: 128))
    }

    func recycle(_ encoder: ValueEncoder) {
        guard idle.count < 16 else { return }
        encoder.buffer.removeAll(keepingCapacity: true)
        idle.append(encoder)
    }

    /// Breaks the cycle between idle encoders and this object.
    func close() {
        idle = []
    }
}
