import MultiprocessingSystem

extension SharedStateError {
    /// What a system call refused while something shared was made or waited for.
    static func system(_ error: SystemError) -> SharedStateError {
        var result: SharedStateError
        switch error.errno {
        case .tooManyProcesses:
            result = SharedStateError(
                .tooManyProcesses,
                """
                this program and its workers have started \(LifePage.numberLimit - 1) processes, the most that can share \
                state; start the program anew
                """)
        case .tooManyOpenFiles, .tooManyFilesInSystem:
            result = SharedStateError(
                .outOfDescriptors,
                "there is no descriptor left for shared memory (\(error)); close files, or raise the limit (ulimit -n)")
        case .noMemory, .fileTooLarge:
            result = SharedStateError(
                .unavailable, "the system has no memory to share (\(error)); ask for less, or raise its limits")
        default:
            result = SharedStateError(
                .unavailable, "the system refuses what shared state needs (\(error)); it takes memfd_create and /proc")
        }
        result.errno = error.errno.rawValue
        return result
    }

    /// What another process sent did not fit into this process's table of descriptors.
    static func lostDescriptors() -> SharedStateError {
        SharedStateError(
            .outOfDescriptors,
            """
            a handle came to a process that had no descriptor left for it, and was lost; let go of handles and close \
            files there, or raise its limit (ulimit -n, or the pool's limit of open files), and make a new one
            """)
    }

    /// Runs `body`; throws as an error of the library's what the system refuses.
    static func catching<Value>(_ body: () throws(SystemError) -> Value) throws(SharedStateError) -> Value {
        do {
            return try body()
        } catch {
            throw system(error)
        }
    }

    /// A wait that came to nothing.
    ///
    /// - Parameter what: What did not happen, as a sentence.
    static func timedOut(_ what: String, after timeout: Duration?) -> SharedStateError {
        let limit = timeout.map { " within \($0)" } ?? ""
        return SharedStateError(.timedOut, "\(what)\(limit); give it more time, or look who holds it up")
    }

    /// A lock was had whose owner died, and nobody has recovered what it guards.
    static func ownerDied(_ owner: DeadOwner) -> SharedStateError {
        var error = SharedStateError(
            .ownerDied,
            """
            \(owner) died while it held the lock, and what the lock guards may be half changed; pass recover: to put it in \
            order
            """)
        error.deadOwner = owner
        return error
    }

    /// What is released here was not acquired here.
    static func notHeld(_ what: String) -> SharedStateError {
        SharedStateError(.notHeld, "\(what) is not held by this process; release once what was acquired here")
    }
}
