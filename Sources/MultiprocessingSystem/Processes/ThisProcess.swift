internal import CMultiprocessing
// Preconcurrency: glibc's streams are global variables.
@preconcurrency internal import Glibc

/// The calling process.
package enum ThisProcess {
    /// Writes a text to standard error, past every buffer; what cannot be written is dropped.
    package static func report(_ text: String) {
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// Writes what is in the buffer of standard output.
    package static func flushOutput() {
        fflush(stdout)
    }

    /// Writes what is in the buffers of all streams, and the counts of a program built for code coverage.
    ///
    /// Whoever read the streams may be gone: that no longer ends the process.
    package static func flushAll() {
        signal(SIGPIPE, SIG_IGN)
        fflush(nil)
        mp_write_profile()
    }

    /// Ends as a program ends: with exit handlers, the buffers of its streams, and its profile.
    package static func exitInOrder() -> Never {
        exit(EXIT_SUCCESS)
    }

    /// Ends at once, with all processes of the group if this one leads it.
    ///
    /// Takes no lock: one that work holds would keep it for ever.
    package static func endWithGroup() -> Never {
        if getpgrp() == getpid() { kill(0, SIGKILL) }
        _exit(0)
    }

    /// Ends at once, for a mistake in the program (EX_SOFTWARE of sysexits.h).
    package static func endInFailure() -> Never {
        _exit(EX_SOFTWARE)
    }

    /// Blocks the calling thread for so many milliseconds.
    package static func pause(milliseconds: UInt32) {
        usleep(milliseconds * 1_000)
    }

    /// Lets another thread have the core, if one waits for it.
    package static func yield() {
        sched_yield()
    }

    /// Where a global symbol of this program or one of its libraries lies.
    package static func symbol(_ name: String) -> UnsafeMutableRawPointer? {
        // nil stands for all that the program was started with.
        dlsym(nil, name)
    }

    /// The value of an environment variable.
    package static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
