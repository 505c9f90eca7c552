import Glibc
import Multiprocessing

/// The item of a ``Rendezvous``: tells that it is there, and waits until it is let go.
struct Attendance: Job {
    let arrived: String
    let released: String

    func run() throws -> pid_t {
        let pipe = open(arrived, O_WRONLY | O_CLOEXEC)
        guard pipe >= 0, write(pipe, "x", 1) == 1 else { throw Absence(code: errno) }
        close(pipe)
        // Blocks until the other end is opened, which is the sign to go on.
        let gate = open(released, O_RDONLY | O_CLOEXEC)
        guard gate >= 0 else { throw Absence(code: errno) }
        close(gate)
        return getpid()
    }
}

/// A named pipe of a rendezvous could not be used.
struct Absence: Error, Codable {
    let code: Int32
}
