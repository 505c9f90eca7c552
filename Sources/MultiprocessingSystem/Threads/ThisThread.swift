internal import Glibc

/// The calling thread.
package enum ThisThread {
    /// Tells the thread from all others that there are at this time; never zero.
    package static var number: UInt64 { UInt64(pthread_self()) }

    /// Tells the task that the caller runs in from all others of this process, or the thread if it runs in none.
    package static var taskOrThread: UInt64 {
        let task = withUnsafeCurrentTask { task in task.map { identity(of: $0) } }
        // A task is aligned, so that no thread is taken for one.
        return task ?? UInt64(pthread_self()) << 1 | 1
    }

    private static func identity(of task: UnsafeCurrentTask) -> UInt64 {
        // A task is one reference, and stays at its address for as long as it lives.
        withUnsafeBytes(of: task) { UInt64($0.loadUnaligned(as: UInt.self)) }
    }
}
