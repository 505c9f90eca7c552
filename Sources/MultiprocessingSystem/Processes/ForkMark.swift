internal import CMultiprocessing

/// Tells whether this process still is the one in which the mark was made, or was forked off it.
///
/// A process that `fork` or `daemon` has made and that goes on without a new image has copies of all
/// objects, but none of the threads behind them.
package struct ForkMark: Sendable {
    private let count: UInt32

    /// Fails only without memory, and then forks go unnoticed.
    private static let isWatching = mp_watch_forks() == 0

    /// Marks this process.
    package init() {
        _ = Self.isWatching
        count = mp_fork_count()
    }

    /// Whether this process was forked off the one with the mark.
    package var isElsewhere: Bool { mp_fork_count() != count }

    /// Whether this process was forked off one in which there was a mark.
    package static var isFork: Bool { mp_fork_count() > 0 }

    /// Has a process that is forked off from now on let go of the socket.
    ///
    /// Its copy would keep the peer from seeing the end when this process ends. Balanced by
    /// ``release(_:)`` before the socket is closed.
    package static func keep(_ number: DescriptorNumber) {
        _ = isWatching
        mp_keep_from_forks(number.rawValue)
    }

    /// Takes back ``keep(_:)``.
    package static func release(_ number: DescriptorNumber) {
        mp_leave_to_forks(number.rawValue)
    }
}
