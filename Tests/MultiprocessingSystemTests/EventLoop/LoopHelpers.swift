import Glibc
import MultiprocessingSystem
import Synchronization
import Testing

/// A pipe that handlers share.
final class Ends: Sendable {
    private let pipe: PipePair

    init(_ pipe: consuming PipePair) {
        self.pipe = pipe
    }

    var readEnd: DescriptorNumber { pipe.readEnd.number }

    func readByte() -> Bool {
        var byte: UInt8 = 0
        return read(pipe.readEnd.number.rawValue, &byte, 1) == 1
    }

    func write(_ text: String) {
        let count = Glibc.write(pipe.writeEnd.number.rawValue, text, text.utf8.count)
        #expect(count == text.utf8.count)
    }
}

/// Registrations that their own handlers change.
final class Registrations: Sendable {
    private let list = Mutex<[EventLoop.Registration]>([])

    func append(_ registration: EventLoop.Registration) {
        list.withLock { $0.append(registration) }
    }

    func setInterest(_ interest: Interest) throws {
        try list.withLock { try $0.last?.setInterest(interest) }
    }

    func deregisterAll() {
        list.withLock { list in
            list.forEach { $0.deregister() }
            list = []
        }
    }

    /// Ends the registration from within its handler and starts the same one anew.
    func replace(on loop: EventLoop, _ ends: Ends, _ received: Counter) {
        deregisterAll()
        do {
            append(
                try loop.register(ends.readEnd, .read) { _ in
                    if ends.readByte(), received.add() % 7 == 0 {
                        self.replace(on: loop, ends, received)
                    }
                }
            )
        } catch {
            Issue.record(error)
        }
    }
}

extension EventLoop {
    /// How often the loop's thread has slept so far.
    func wakeUps() throws -> Int {
        let status = Mutex("")
        let done = Counter()
        execute {
            let text = try? FileDescriptor.open("/proc/thread-self/status").readToEnd()
            status.withLock { $0 = String(decoding: text ?? [], as: UTF8.self) }
            done.add()
        }
        try done.wait(for: 1)
        let line = status.withLock { $0 }.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
        return try #require(line.flatMap { Int($0.split(separator: "\t")[1]) })
    }
}
