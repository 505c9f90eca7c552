/// What the word of an event says: whether it is set, and how often it was cleared.
///
/// Who waits goes on when it is set, and also when it was set and cleared again before he could look.
struct EventState: Hashable, Sendable {
    let rawValue: UInt32

    var isSet: Bool { rawValue & 1 != 0 }

    var set: EventState { EventState(rawValue: rawValue | 1) }

    /// Not set; another round if it was.
    var cleared: EventState { isSet ? EventState(rawValue: (rawValue & ~1) &+ 2) : self }

    /// Whether one who began to wait at `start` goes on.
    func ends(_ start: EventState) -> Bool { isSet || rawValue >> 1 != start.rawValue >> 1 }
}
