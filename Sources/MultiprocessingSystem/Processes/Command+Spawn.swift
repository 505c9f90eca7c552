internal import CMultiprocessing
internal import Glibc

extension Command {
    /// Starts the program as the leader of its own session and process group.
    ///
    /// The child has default signal dispositions and an empty signal mask, no controlling terminal,
    /// reads nothing (`/dev/null`), and has no descriptor but those named here. Blocks until the child
    /// has replaced its image, which is well below a millisecond.
    ///
    /// - Parameters:
    ///   - folder: Where the child works; nil for the folder of this process.
    ///   - standardOutput: Where the child writes; nil shares this process's.
    ///   - standardError: Where the child writes errors; nil shares this process's.
    ///   - passing: Descriptors that the child finds at 3, 4, 5 and so on. They stay open here.
    package func spawn(
        in folder: Folder? = nil,
        standardOutput: DescriptorNumber? = nil,
        standardError: DescriptorNumber? = nil,
        passing: [DescriptorNumber] = []
    ) throws(SystemError) -> ProcessHandle {
        var actions = try FileActions(above: Self.firstPassedNumber + Int32(passing.count))
        // A standard stream that is inherited needs no action: its number is already right.
        try actions.pass(StandardStreams.openEmpty(), at: .standardInput)
        if let standardOutput {
            try actions.pass(standardOutput, at: .standardOutput)
        }
        if let standardError {
            try actions.pass(standardError, at: .standardError)
        }
        for (index, number) in passing.enumerated() {
            try actions.pass(number, at: DescriptorNumber(rawValue: Self.firstPassedNumber + Int32(index)))
        }
        if let folder { try actions.changeDirectory(to: folder.path) }
        try actions.closeTheRest()

        let lastNumber = LifePage.existing?.lastNumber ?? 0
        let process = try start(actions, try SpawnAttributes.make())
        do throws(SystemError) {
            return try ProcessHandle(process, startedAfter: lastNumber)
        } catch {
            // Without a pidfd nobody could watch the child, so it must not live on.
            kill(-process.rawValue, SIGKILL)
            while waitpid(process.rawValue, nil, 0) < 0, Errno.current == .interrupted {}
            throw error
        }
    }

    private func start(
        _ actions: borrowing FileActions,
        _ attributes: borrowing SpawnAttributes
    ) throws(SystemError) -> ProcessID {
        let argumentList = argumentList()
        var process: pid_t = 0
        let result = argumentList.withUnsafePointer { argv in
            environment.withUnsafePointer(adding: mark) { envp in
                actions.withUnsafePointer { actions in
                    attributes.withUnsafePointer { attributes in
                        posix_spawn(&process, executable, actions, attributes, argv, envp)
                    }
                }
            }
        }
        try checked("posix_spawn \(executable)") { result }
        return ProcessID(rawValue: process)
    }
}
