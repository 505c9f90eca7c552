import Glibc
package import Testing

/// Where work items, in whatever process they run, report to the test and wait for it.
///
/// Arrivals are lines that items append to a file; the gate is a named pipe, out of which each
/// item that waits takes one byte. When the rendezvous goes, whoever waits is let through.
package final class Rendezvous: Sendable {
    /// What a work item is given: the way to the rendezvous.
    package struct Ticket: Codable, Hashable, Sendable {
        fileprivate let directory: String

        fileprivate var gatePath: String { directory + "/gate" }
        fileprivate var arrivalsPath: String { directory + "/arrivals" }

        /// Reports that the item runs.
        package func arrive(_ id: Int = 0) {
            let file = open(arrivalsPath, O_WRONLY | O_APPEND | O_CLOEXEC)
            guard file >= 0 else { return }
            let line = Array("\(id)\n".utf8)
            _ = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            close(file)
        }

        /// Blocks the calling thread until the test lets the item through.
        package func wait() {
            // Without waiting for a writer: after the end of the rendezvous there is none.
            let gate = open(gatePath, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            guard gate >= 0 else { return }
            _ = fcntl(gate, F_SETFL, 0)
            var byte: UInt8 = 0
            while read(gate, &byte, 1) < 0, errno == EINTR {}
            close(gate)
        }
    }

    package let ticket: Ticket
    private let gate: Int32

    package init() throws {
        var template = Array("/tmp/multiprocessing-test-XXXXXX".utf8CString)
        try #require(template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) } != nil)
        ticket = Ticket(directory: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        try #require(mkfifo(ticket.gatePath, 0o600) == 0)
        // For reading too, so that opening it does not wait for an item.
        gate = open(ticket.gatePath, O_RDWR | O_CLOEXEC)
        try #require(gate >= 0)
        let arrivals = open(ticket.arrivalsPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(arrivals >= 0)
        close(arrivals)
    }

    deinit {
        unlink(ticket.gatePath)
        unlink(ticket.arrivalsPath)
        rmdir(ticket.directory)
        close(gate)
    }

    /// What the items reported, in the order in which they did.
    package var arrivals: [Int] {
        let file = open(ticket.arrivalsPath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
    }

    /// Waits until that many items have reported.
    package func expectArrivals(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async {
        await expectSoon("\(count) items did not arrive", within: .seconds(600), sourceLocation: sourceLocation) {
            arrivals.count >= count
        }
    }

    /// Lets items that wait, or will, through.
    package func letThrough(_ count: Int = 1) {
        let bytes = [UInt8](repeating: 1, count: count)
        _ = bytes.withUnsafeBytes { write(gate, $0.baseAddress, $0.count) }
    }
}
