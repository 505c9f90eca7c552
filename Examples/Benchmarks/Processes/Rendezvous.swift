import Glibc
import Multiprocessing

/// Makes every worker of a pool take part: each item waits until as many have begun as there are workers.
///
/// The items meet at two named pipes, which processes and threads open alike.
final class Rendezvous {
    private let folder: String
    private let place: Attendance
    private let arrivals: Int32

    /// How long workers may take to come, in milliseconds.
    private static let patience: Int32 = 20_000

    init() throws(SystemFailure) {
        var template = Array("/tmp/multiprocessing-benchmarks-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure("making a folder in /tmp") }
        folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        place = Attendance(arrived: folder + "/arrived", released: folder + "/released")
        guard mkfifo(place.arrived, 0o600) == 0, mkfifo(place.released, 0o600) == 0 else {
            throw SystemFailure("making a named pipe in \(folder)")
        }
        // For both directions, so that it neither blocks here nor ends when a worker closes its own.
        arrivals = open(place.arrived, O_RDWR | O_CLOEXEC)
        guard arrivals >= 0 else { throw SystemFailure("opening \(place.arrived)") }
    }

    deinit {
        close(arrivals)
        unlink(place.arrived)
        unlink(place.released)
        rmdir(folder)
    }

    /// Lets each worker run one item at the same time; returns their process ids.
    func meet(_ pool: Pool) async throws -> [pid_t] {
        let futures = (0..<pool.workerCount).map { _ in pool.submit(place) }
        for _ in futures { try awaitArrival() }
        let release = open(place.released, O_RDWR | O_CLOEXEC)
        guard release >= 0 else { throw SystemFailure("opening \(place.released)") }
        defer { close(release) }
        var processIDs: [pid_t] = []
        for future in futures { processIDs.append(try await future.value) }
        return processIDs
    }

    private func awaitArrival() throws(SystemFailure) {
        var request = pollfd(fd: arrivals, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, Self.patience) == 1 else {
            throw SystemFailure("waiting for all workers to run an item at the same time", code: ETIMEDOUT)
        }
        var byte: UInt8 = 0
        guard read(arrivals, &byte, 1) == 1 else { throw SystemFailure("reading \(place.arrived)") }
    }
}
