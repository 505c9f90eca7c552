internal import Glibc

/// Two connected Unix sockets, both close-on-exec.
package struct SocketPair: ~Copyable, Sendable {
    package let first: Socket
    package let second: Socket

    /// How bytes travel through a pair.
    package enum Kind: Sendable {
        /// As a stream, without bounds between what one call and the next sends.
        case stream

        /// As whole messages, each of which one call sends and one call receives (SOCK_SEQPACKET).
        case messages
    }

    /// Makes a pair whose ends both block.
    package init(_ kind: Kind = .stream) throws(SystemError) {
        let type =
            switch kind {
            case .stream: SOCK_STREAM
            case .messages: SOCK_SEQPACKET
            }
        var ends: (Int32, Int32) = (-1, -1)
        try systemCall("socketpair") {
            withUnsafeMutableBytes(of: &ends) {
                socketpair(
                    AF_UNIX,
                    Int32(type.rawValue | SOCK_CLOEXEC.rawValue),
                    0,
                    $0.assumingMemoryBound(to: Int32.self).baseAddress
                )
            }
        }
        first = Socket(FileDescriptor(adopting: ends.0))
        second = Socket(FileDescriptor(adopting: ends.1))
    }

    /// Closes the second end and hands out the first.
    ///
    /// What a parent does once the second end was passed to its worker: a copy that stays
    /// open here would keep the end of the worker from showing as the end of the stream.
    package consuming func takeFirst() -> Socket {
        first
    }

    /// Hands out the descriptors of both ends, for several owners each.
    package consuming func takeDescriptors() -> (first: OpenDescriptor, second: OpenDescriptor) {
        (OpenDescriptor(first.descriptor), OpenDescriptor(second.descriptor))
    }
}
