import MultiprocessingSystem

/// How a worker that has nothing to do ends: what its work left in buffers is written.
///
/// A worker that is killed, or whose parent goes while it runs an item, ends where it stands.
extension WorkerProcess {
    /// How long what runs at exit may take, in milliseconds; the parent kills the worker after five.
    private static let exitLimit: UInt32 = 3_000

    /// How long an orphan may take to write its buffers, in milliseconds.
    private static let orphanLimit: UInt32 = 500

    /// Ends this process as a program ends: lets go of what the worker has kept, then with exit handlers, the buffers of its streams, and its profile.
    ///
    /// Called on the main thread when the pool asks for the end. The parent kills what the work left
    /// behind, as soon as it sees that the worker is gone.
    static func exitInOrder() -> Never {
        // A handler may wait for ever, and so may a stream that a thread of the work holds. Without
        // a thread to keep the limit the parent does.
        _ = try? NativeThread(name: "mp-exit", stackSize: 256 << 10) {
            ThisProcess.pause(milliseconds: exitLimit)
            ThisProcess.endWithGroup()
        }
        WorkerLocals.ofProcess.tearDown()
        ThisProcess.exitInOrder()
    }

    /// Writes buffers and the profile, and ends this process, whose parent is gone.
    ///
    /// Called on the main thread between items. Exit handlers do not run: once `exit` has begun there
    /// is no moment left for killing what the work started, and here nobody else would.
    static func endOrphaned() -> Never {
        ThisProcess.flushAll()
        ThisProcess.endWithGroup()
    }

    /// Returns when the main thread has had its time for ``endOrphaned()``.
    static func waitForOrphanedEnd() {
        ThisProcess.pause(milliseconds: orphanLimit)
    }
}
