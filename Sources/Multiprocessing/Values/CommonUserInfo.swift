import Synchronization

/// What values find in the `userInfo` of every decoder of this process's library, whoever sent the bytes.
///
/// Rooms above put there what values need that know nothing of messages, such as distributed actors.
enum CommonUserInfo {
    private static let state = Mutex<[CodingUserInfoKey: any Sendable]>([:])

    static var current: [CodingUserInfoKey: any Sendable] { state.withLock { $0 } }

    /// Has to be called before the first decoder is made that the value is for.
    static func set(_ value: any Sendable, for key: CodingUserInfoKey) {
        state.withLock { $0[key] = value }
    }
}
