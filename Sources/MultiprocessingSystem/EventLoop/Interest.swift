internal import CMultiprocessing

/// What a descriptor is watched for, and what it was found ready for.
package struct Interest: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// A read returns at once: with bytes, with the end of the stream or with an error.
    package static var read: Interest { Interest(rawValue: 1) }

    /// A write returns at once, with an error if the other end is gone.
    package static var write: Interest { Interest(rawValue: 2) }
}

extension Interest {
    var epollEvents: UInt32 {
        (contains(.read) ? EPOLLIN.rawValue : 0) | (contains(.write) ? EPOLLOUT.rawValue : 0)
    }

    /// The end of the peer and errors make both calls return at once.
    init(epollEvents: UInt32) {
        let ended = EPOLLHUP.rawValue | EPOLLERR.rawValue
        self = []
        if epollEvents & (EPOLLIN.rawValue | ended) != 0 {
            insert(.read)
        }
        if epollEvents & (EPOLLOUT.rawValue | ended) != 0 {
            insert(.write)
        }
    }
}
