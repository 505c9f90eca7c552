import Glibc

/// A process that this program started, with a socket to the child's standard input and output.
final class ChildProcess {
    let processID: pid_t
    let socket: Socket

    /// Starts this same executable in one of its other roles.
    convenience init(_ role: ChildRole) throws(SystemFailure) {
        try self.init("/proc/self/exe", role.arguments)
    }

    /// - Parameter program: A path, or a name to look up in `PATH`.
    init(_ program: String, _ arguments: [String]) throws(SystemFailure) {
        let (ours, theirs) = try Socket.pair()
        defer { theirs.close() }
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
        posix_spawnattr_init(&attributes)
        posix_spawn_file_actions_init(&actions)
        defer {
            posix_spawnattr_destroy(&attributes)
            posix_spawn_file_actions_destroy(&actions)
        }
        // A group of its own, so that what the child starts can be ended with it. SIGPIPE is
        // ignored here and Dispatch's threads block signals, all of which a child would inherit:
        // Python's forkserver waits for ever without SIGCHLD.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawn_file_actions_adddup2(&actions, theirs.descriptor, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, theirs.descriptor, STDOUT_FILENO)

        var processID: pid_t = 0
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        let code = posix_spawnp(&processID, program, &actions, &attributes, &argv, environ)
        guard code == 0 else {
            ours.close()
            throw SystemFailure("starting \(program)", code: code)
        }
        self.processID = processID
        socket = ours
    }

    /// Ends the child: it sees the end of its input, and is killed if that takes it too long.
    func end() {
        socket.close()
        for _ in 0..<500 {
            if waitpid(processID, nil, WNOHANG) != 0 { return }
            usleep(10_000)
        }
        kill(-processID, SIGKILL)
        waitpid(processID, nil, 0)
    }
}
