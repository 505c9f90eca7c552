internal import Glibc

/// Memory that is to be sent, and that stays where it is until then.
package struct SendBuffer {
    /// The only property, so that a list of these is a list of vectors to the kernel.
    var vector: iovec

    package init(_ buffer: UnsafeRawBufferPointer) {
        // The kernel only reads it: the pointer is mutable because reading shares the type.
        vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: buffer.baseAddress), iov_len: buffer.count)
    }

    /// How many bytes of it are still to be sent.
    var count: Int { vector.iov_len }

    /// Takes away the first `count` bytes, which were sent.
    mutating func drop(_ count: Int) {
        vector.iov_base += count
        vector.iov_len -= count
    }
}
