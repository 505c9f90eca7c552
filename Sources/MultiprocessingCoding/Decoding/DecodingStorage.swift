internal import CMultiprocessing

/// What all decoders of one call share.
final class DecodingStorage {
    /// The bytes; none once the call has returned, in case a decoder outlives it.
    // Exclusivity is unchecked because it changes only between calls.
    @exclusivity(unchecked)
    private(set) var bytes: BorrowedBytes

    /// The keys of the other side, or nil if the bytes are this process's own.
    private(set) var keys: KeyMap?

    /// What was given for this call alone.
    private var ownUserInfo: [CodingUserInfoKey: any Sendable]

    /// What holds for all that comes from the other side: the same for as long as the decoders are used again.
    private let sharedUserInfo: [CodingUserInfoKey: any Sendable]

    var userInfo: [CodingUserInfoKey: any Sendable] {
        ownUserInfo.isEmpty ? sharedUserInfo : ownUserInfo.merging(sharedUserInfo) { own, _ in own }
    }

    // Exclusivity is unchecked because no access lasts longer than one load or store.
    @exclusivity(unchecked) private var lastObject = LastUserObject()

    func userObject(_ key: CodingUserInfoKey) -> AnyObject? {
        if let known = lastObject.find(key) { return known }
        let found = userInfo[key] as AnyObject?
        lastObject.note(found, key)
        return found
    }

    /// The first damage that was found where nothing can be thrown; the call throws it at its end.
    private(set) var damage: (any Error)?

    /// Where the stack of the thread that decodes is too short to go on.
    // Exclusivity is unchecked because it changes only between calls.
    @exclusivity(unchecked)
    private var stackLimit: UInt

    /// Whether another level of nesting fits on the stack.
    @inline(__always)
    var hasStack: Bool { mp_stack_position() > stackLimit }

    /// Whether a value may have kept one of the decoders, which then must never see other bytes.
    var mayBeKept = false

    init(
        bytes: BorrowedBytes,
        keys: KeyMap?,
        userInfo: [CodingUserInfoKey: any Sendable],
        of connection: ReceivedKeys?
    ) {
        self.bytes = bytes
        self.keys = keys
        ownUserInfo = userInfo
        sharedUserInfo = connection?.userInfo ?? [:]
        stackLimit = mp_stack_limit()
    }

    /// Begins another call, when nothing of the last one is left.
    func open(bytes: BorrowedBytes, keys: KeyMap?, userInfo: [CodingUserInfoKey: any Sendable]) {
        self.bytes = bytes
        self.keys = keys
        if !(userInfo.isEmpty && ownUserInfo.isEmpty) { lastObject = LastUserObject() }
        ownUserInfo = userInfo
        damage = nil
        stackLimit = mp_stack_limit()
    }

    func note(_ error: any Error) {
        damage = damage ?? error
    }

    func close() {
        bytes = BorrowedBytes(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}
