/// What a write did.
package enum SendResult: Hashable, Sendable {
    /// This many bytes went out; possibly fewer than were offered.
    case sent(Int)

    /// No byte went out; the descriptor becomes writable later.
    case wouldBlock

    /// The other end is closed; nothing can be sent any more, but there may be bytes left to read.
    case peerGone
}
