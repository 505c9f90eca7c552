internal import CMultiprocessing
internal import Glibc

/// A child's signals and session, set so that nothing of this program's choices leaks into it.
struct SpawnAttributes: ~Copyable {
    private let attributes: UnsafeMutablePointer<posix_spawnattr_t>

    private init(_ attributes: UnsafeMutablePointer<posix_spawnattr_t>) {
        self.attributes = attributes
    }

    static func make() throws(SystemError) -> SpawnAttributes {
        let pointer = UnsafeMutablePointer<posix_spawnattr_t>.allocate(capacity: 1)
        do throws(SystemError) {
            try checked("posix_spawnattr_init") { posix_spawnattr_init(pointer) }
        } catch {
            pointer.deallocate()
            throw error
        }
        let attributes = SpawnAttributes(pointer)
        try attributes.setUp()
        return attributes
    }

    deinit {
        posix_spawnattr_destroy(attributes)
        attributes.deallocate()
    }

    private borrowing func setUp() throws(SystemError) {
        try checked("posix_spawnattr_setflags") {
            posix_spawnattr_setflags(
                attributes,
                // A session of its own, and with it a group: the terminal's Ctrl-C does not reach it, it can be
                // killed together with what it has started, and what it starts finds no terminal to ask. In a
                // background group of the program's session such a program would be stopped for ever.
                Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | MP_SPAWN_NEW_SESSION)
            )
        }

        var none = sigset_t()
        sigemptyset(&none)
        try checked("posix_spawnattr_setsigmask") { posix_spawnattr_setsigmask(attributes, &none) }

        // Every bit and not `sigfillset`, which leaves out the two signals that glibc keeps
        // for itself: those would be ignored in the child.
        var all = sigset_t()
        withUnsafeMutableBytes(of: &all) { bytes in
            for index in bytes.indices {
                bytes[index] = 0xFF
            }
        }
        try checked("posix_spawnattr_setsigdefault") { posix_spawnattr_setsigdefault(attributes, &all) }
    }

    borrowing func withUnsafePointer<R>(_ body: (UnsafePointer<posix_spawnattr_t>) -> R) -> R {
        body(attributes)
    }
}
