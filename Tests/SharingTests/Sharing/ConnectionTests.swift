import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

private struct Ping: Codable, Hashable {
    var number: Int
    var text: String
    var rest: [String: Double]
}

/// What a message with another end in it looks like.
private struct Introduction: Codable {
    let name: String
    let connection: Connection<String, Int>
}

private struct Unwilling: Codable {
    struct Refusal: Error, Codable, Equatable {}
    init() {}
    init(from decoder: any Decoder) throws { throw Refusal() }
    func encode(to encoder: any Encoder) throws { try [1].encode(to: encoder) }
}

@Suite(.admitted)
struct ConnectionTests {
    private func code(
        sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async -> SharedStateError.Code? {
        do {
            try await body()
            return nil
        } catch let error as SharedStateError {
            return error.code
        } catch {
            Issue.record(error, sourceLocation: sourceLocation)
            return nil
        }
    }

    // MARK: Messages

    @Test("test_connection: what is sent at one end comes out at the other, both ways", arguments: TestBackend.allCases)
    func connection(_ backend: TestBackend) async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Ping, [Int]>.pair()
            let child = try ChildProcess(backend.backend, theirs) { connection in
                for try await ping in connection {
                    try await connection.send([ping.number, ping.text.count, ping.rest.count])
                }
            }
            for number in 0..<20 {
                try await mine.send(Ping(number: number, text: "é\(number)", rest: ["a": 1]))
                #expect(try await mine.receive() == [number, "é\(number)".count, 1])
            }
            mine.close()
            #expect(try await child.wait() == .returned)
        }
    }

    @Test("The same in code that blocks", arguments: TestBackend.allCases)
    func blocking(_ backend: TestBackend) async throws {
        try await withLimit {
            try await onBlockableThread {
                let (mine, theirs) = try Connection<Int, String>.pair()
                let child = try ChildProcess(backend.backend, theirs) { connection in
                    while true {
                        let number = try connection.receive()
                        if number < 0 { return }
                        try connection.send(String(number * 2))
                    }
                }
                for number in 0..<200 {
                    try mine.send(number)
                    #expect(try mine.receive() == String(number * 2))
                }
                try mine.send(-1)
                #expect(child.wait() == .returned)
            }
        }
    }

    @Test("A message may be of any size", arguments: [0, 1, 65_000, 65_536, 66_000, 16 << 20])
    func size(_ count: Int) async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<[UInt8], [UInt8]>.pair()
            let child = try ChildProcess(.processes, theirs) { connection in
                try await connection.send(Array(try await connection.receive().reversed()))
            }
            var bytes = [UInt8](repeating: 7, count: count)
            for place in stride(from: 0, to: count, by: 1_013) { bytes[place] = UInt8(truncatingIfNeeded: place) }
            try await mine.send(bytes)
            let answer = try await mine.receive()
            #expect(answer == Array(bytes.reversed()))
            try await child.value
        }
    }

    @Test("Large messages wait for their turn, and all come", arguments: TestBackend.allCases)
    func manyLarge(_ backend: TestBackend) async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<[Int], Int>.pair()
            let child = try ChildProcess(backend.backend, theirs) { connection in
                var sum = 0
                for try await numbers in connection { sum += numbers.count &+ numbers[numbers.count - 1] }
                return sum
            }
            for number in 0..<40 { try await mine.send(Array(repeating: number, count: 50_000)) }
            mine.close()
            #expect(try await child.value == 40 * 50_000 + (0..<40).reduce(0, +))
        }
    }

    @Test("test_strings, test_empty_string, test_dont_merge: messages come one by one, in order, also empty ones")
    func strings() async throws {
        let (first, second) = try Connection<String, Int>.pair()
        let texts = ["hello", "", "a", "b", "", "bye", "", "lop"]
        for text in texts { try await first.send(text) }
        for text in texts {
            #expect(try await Connection.first(of: [second], timeout: .zero) == [second])
            #expect(try await second.receive() == text)
        }
        #expect(try await Connection.first(of: [second], timeout: .zero) == [])
        #expect(try second.tryReceive() == nil)
    }

    @Test("test_boundaries: looking takes nothing")
    func boundaries() async throws {
        let (first, second) = try Connection<Int, Int>.pair()
        try await first.send(1)
        try await first.send(2)
        for _ in 0..<3 { #expect(try await Connection.first(of: [second]).count == 1) }
        #expect(try second.tryReceive() == 1)
        #expect(try await second.receive() == 2)
    }

    @Test("Values of all kinds", arguments: TestBackend.allCases)
    func kinds(_ backend: TestBackend) async throws {
        try await withLimit {
            let (ints, intsThere) = try Connection<Int?, [Double]>.pair()
            let child = try ChildProcess(backend.backend, intsThere) { connection in
                while let number = try await connection.receive() { try await connection.send([Double(number) / 2]) }
            }
            try await ints.send(3)
            #expect(try await ints.receive() == [1.5])
            try await ints.send(nil)
            try await child.value
        }
    }

    // MARK: Several at once

    @Test("Any number send and receive at the same end, each message whole and once")
    func several() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<[Int], [Int]>.pair()
            let children = try (0..<3).map { _ in
                try ChildProcess(.processes, theirs) { connection in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<3 {
                            group.addTask {
                                for try await numbers in connection { try await connection.send(numbers) }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            let count = 300
            let received = try await withThrowingTaskGroup(of: [[Int]].self) { group in
                for sender in 0..<3 {
                    group.addTask {
                        for number in 0..<(count / 3) {
                            let id = number * 3 + sender
                            // Some of them too large for a packet.
                            try await mine.send(Array(repeating: id, count: id % 10 == 0 ? 20_000 : id % 50 + 1))
                        }
                        return []
                    }
                    group.addTask {
                        var lists: [[Int]] = []
                        for _ in 0..<(count / 3) { lists.append(try await mine.receive()) }
                        return lists
                    }
                }
                return try await group.reduce(into: [[Int]]()) { $0 += $1 }
            }
            #expect(received.map { $0[0] }.sorted() == Array(0..<count))
            #expect(received.allSatisfy { list in list.allSatisfy { $0 == list[0] } })
            #expect(received.allSatisfy { $0.count == ($0[0] % 10 == 0 ? 20_000 : $0[0] % 50 + 1) })
            mine.close()
            for child in children { #expect(try await child.wait() == .returned) }
        }
    }

    @Test("test_wait: several are waited for, to their end, and nothing is lost", arguments: TestBackend.allCases)
    func wait(_ backend: TestBackend) async throws {
        try await withLimit {
            var open: [Connection<Int, Int>] = []
            func start(_ number: Int) throws -> Connection<Int, Int> {
                let (mine, theirs) = try Connection<Int, Int>.pair()
                _ = try ChildProcess(backend.backend, (theirs, number)) { connection, number in
                    for step in 0..<10 { try await connection.send(number * 100 + step) }
                    connection.close()
                }
                return mine
            }
            for number in 0..<4 { open.append(try start(number)) }
            var received: [Int] = []
            while !open.isEmpty {
                for connection in try await Connection.first(of: open) {
                    do {
                        if let number = try connection.tryReceive() { received.append(number) }
                    } catch let error as SharedStateError where error.code == .closed {
                        open.removeAll { $0 == connection }
                    }
                }
            }
            var expected: [Int] = []
            for number in 0..<4 { for step in 0..<10 { expected.append(number * 100 + step) } }
            #expect(received.sorted() == expected)
        }
    }

    @Test("test_wait_timeout, test_neg_timeout: none in time, then the one that is ready")
    func waitTimeout() async throws {
        let (a, b) = try Connection<Int, Int>.pair()
        let (c, d) = try Connection<Int, Int>.pair()
        #expect(try await Connection.first(of: [b, d], timeout: .milliseconds(20)) == [])
        #expect(try await Connection.first(of: [b, d], timeout: .seconds(-1)) == [])
        #expect(try await Connection<Int, Int>.first(of: []) == [])
        try await c.send(1)
        #expect(try await Connection.first(of: [b, d], timeout: .seconds(60)) == [d])
        try await a.send(1)
        #expect(try await Connection.first(of: [b, d]) == [b, d])
        try await withLimit {
            try await onBlockableThread {
                let ready = try Connection.first(of: [b, d])
                #expect(ready == [b, d])
                let none = try Connection.first(of: [a], timeout: .milliseconds(5))
                #expect(none == [])
            }
            // One that comes while it is waited for.
            let waiting = Task { try await Connection.first(of: [a, c]) }
            try await d.send(4)
            #expect(try await waiting.value == [c])
        }
    }

    // MARK: The end

    @Test("End of file when the other end is gone, behind what was sent", arguments: TestBackend.allCases)
    func endOfFile(_ backend: TestBackend) async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Int, Int>.pair()
            let child = try ChildProcess(backend.backend, theirs) { connection in
                try await connection.send(1)
                try await connection.send(2)
                connection.close()
            }
            if backend == .processes { theirs.close() }
            var received: [Int] = []
            for try await number in mine { received.append(number) }
            #expect(received == [1, 2])
            #expect(await code { _ = try await mine.receive() } == .closed)
            #expect(await code { try await mine.send(1) } == .closed)
            #expect(try await child.wait() == .returned)
        }
    }

    @Test("End of file when the process that has the other end is killed")
    func killed() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Int, Int>.pair()
            let child = try ChildProcess(.processes, theirs) { connection in
                try connection.send(1)
                while true { sleep(1_000) }
            }
            theirs.close()
            #expect(try await mine.receive() == 1)
            let waiting = Task { try await mine.receive() }
            child.kill()
            #expect(await code { _ = try await waiting.value } == .closed)
            // A thread that blocks sees it too.
            try await onBlockableThread {
                let error = #expect(throws: SharedStateError.self) { try mine.receive() }
                #expect(error?.code == .closed)
            }
        }
    }

    @Test("A sender that is killed leaves no part of a message", arguments: [false, true])
    func senderKilled(isLarge: Bool) async throws {
        try await withLimit {
            for round in 0..<20 {
                let (mine, theirs) = try Connection<Int, [Int]>.pair()
                let size = isLarge ? 20_000 : 50
                let child = try ChildProcess(.processes, (theirs, size)) { connection, size in
                    var number = 0
                    while true {
                        try connection.send(Array(repeating: number, count: size))
                        number += 1
                    }
                }
                theirs.close()
                var next = 0
                for try await numbers in mine {
                    #expect(numbers == Array(repeating: next, count: size))
                    next += 1
                    if next == 5 + round { child.kill() }
                }
                #expect(next >= 5 + round)
                #expect(try await child.wait() == .signaled(SIGKILL))
            }
        }
    }

    @Test("test_context: an end that was closed here is of no use here, and says so")
    func closedHere() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Int, Int>.pair()
            #expect(!mine.isClosed)
            let waiting = Task { try await mine.receive() }
            let blocked = Task { try await onBlockableThread { try mine.receive() } }
            // Whether they wait already or will try: both are told.
            try await Task.sleep(for: .milliseconds(20))
            mine.close()
            mine.close()
            #expect(mine.isClosed)
            #expect(await code { _ = try await waiting.value } == .closed)
            #expect(await code { _ = try await blocked.value } == .closed)
            #expect(await code { try await mine.send(1) } == .closed)
            #expect(await code { _ = try mine.tryReceive() } == .closed)
            await expectRefusal("closed") { _ = try ChildProcess(.processes, mine) { _ in } }
            #expect(try await Connection.first(of: [mine]) == [mine])
            #expect(await code { _ = try await theirs.receive() } == .closed)
            for try await _ in mine { Issue.record("nothing comes") }
        }
    }

    @Test("A wait has its time, and sees cancellation; no message is lost by either")
    func waits() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Int, Int>.pair()
            #expect(await code { _ = try await mine.receive(timeout: .milliseconds(10)) } == .timedOut)
            #expect(await code { _ = try await mine.receive(timeout: .zero) } == .timedOut)
            #expect(await code { _ = try await mine.receive(timeout: .seconds(-1)) } == .timedOut)
            try await onBlockableThread {
                let error = #expect(throws: SharedStateError.self) { try mine.receive(timeout: .milliseconds(10)) }
                #expect(error?.code == .timedOut)
            }
            for _ in 0..<50 {
                let task = Task { try await mine.receive() }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            var received = 0
            for number in 0..<100 {
                let task = Task { try await mine.receive() }
                async let sent: Void = theirs.send(number)
                task.cancel()
                try await sent
                do {
                    _ = try await task.value
                    received += 1
                } catch is CancellationError {}
            }
            while try mine.tryReceive() != nil { received += 1 }
            #expect(received == 100)
        }
    }

    @Test("A sender waits while the other end does not read, with its time", arguments: [false, true])
    func fullBuffer(isBlocking: Bool) async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<[UInt8], Int>.pair()
            let message = [UInt8](repeating: 1, count: 10_000)
            var sent = 0
            do {
                while sent < 10_000 {
                    if isBlocking {
                        try await onBlockableThread { try mine.send(message, timeout: .milliseconds(50)) }
                    } else {
                        try await mine.send(message, timeout: .milliseconds(50))
                    }
                    sent += 1
                }
                Issue.record("there is no end of room")
            } catch let error as SharedStateError {
                #expect(error.code == .timedOut)
            }
            let waiting = Task { try await mine.send(message) }
            for _ in 0...sent { #expect(try await theirs.receive() == message) }
            try await waiting.value
            #expect(try theirs.tryReceive() == nil)
        }
    }

    // MARK: Being sent

    @Test("test_pickling: an end can be sent in a message, and to a worker's own workers")
    func sentInMessage() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Introduction, Int>.pair()
            let child = try ChildProcess(.processes, theirs) { connection in
                let introduction = try await connection.receive()
                let grandchild = try ChildProcess(.processes, introduction) { introduction in
                    try await introduction.connection.send("from \(introduction.name)")
                    return try await introduction.connection.receive()
                }
                return try await grandchild.value
            }
            let (near, far) = try Connection<Int, String>.pair()
            try await mine.send(Introduction(name: "far", connection: far))
            #expect(try await near.receive() == "from far")
            try await near.send(77)
            #expect(try await child.value == 77)
        }
    }

    @Test("As a capture, an output and inside a list", arguments: TestBackend.allCases)
    func capturedAndReturned(_ backend: TestBackend) async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Int, Int>.pair()
            let back = try await ChildProcess(backend.backend) {
                try await theirs.send(5)
                return [theirs]
            }.value
            #expect(try await mine.receive() == 5)
            #expect(back == [theirs])
            // One that was made there.
            let other = try await ChildProcess(backend.backend) {
                let (a, b) = try Connection<String, String>.pair()
                try await a.send("sent before it came")
                return (a, b)
            }.value
            #expect(try await other.1.receive() == "sent before it came")
            try await other.1.send("here")
            #expect(try await other.0.receive() == "here")
        }
    }

    @Test("Many handles go with a message, and too many are refused")
    func manyHandles() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<[Connection<Int, Int>], Int>.pair()
            let ends = try (0..<100).map { _ in try Connection<Int, Int>.pair() }
            try await mine.send(ends.map(\.0))
            let received = try await theirs.receive()
            #expect(received == ends.map(\.0))
            let more = try (0..<260).map { _ in try Connection<Int, Int>.pair().0 }
            #expect(await code { try await mine.send(more) } == .invalidArgument)
            try await mine.send([])
            #expect(try await theirs.receive().isEmpty)
        }
    }

    @Test("What cannot be decoded is that message's error; the next comes")
    func undecodable() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Unwilling, Int>.pair()
            let child = try ChildProcess(.processes, theirs) { connection in
                for _ in 0..<2 {
                    do {
                        _ = try await connection.receive()
                    } catch is Unwilling.Refusal {
                        try await connection.send(1)
                    }
                }
            }
            for _ in 0..<2 {
                try await mine.send(Unwilling())
                #expect(try await mine.receive() == 1)
            }
            try await child.value
        }
    }

    @Test("An end is decoded only as what it is, and by no other coder")
    func wrongType() async throws {
        try await withLimit {
            let (mine, theirs) = try Connection<Int, Int>.pair()
            let (a, b) = try Connection<Int, String>.pair()
            #expect("\(mine)" == "Connection<Int, Int>(open)")
            #expect(mine != theirs && a == a)
            _ = b
        }
    }

    @Test("Messages and ends leave nothing behind")
    func nothingIsLeft() async throws {
        try await withLimit {
            let result = try await ChildProcess(.processes) { try await Leaks.measure() }.value
            #expect(result == "", "\(result)")
        }
    }

    /// In a process that does nothing else.
    private enum Leaks {
        static func round() async throws {
            for number in 0..<50 {
                let (mine, theirs) = try Connection<[Connection<[Int], Int>], Int>.pair()
                let (near, far) = try Connection<Int, [Int]>.pair()
                try await mine.send([far, far])
                if number % 3 == 0 { _ = try await theirs.receive() }
                try await far.send(Array(repeating: 1, count: number % 5 == 0 ? 20_000 : 3))
                if number % 2 == 0 { _ = try await near.receive() }
                if number % 7 == 0 { _ = try? await near.receive(timeout: .milliseconds(1)) }
                if number % 4 == 0 { mine.close() }
            }
            let (mine, theirs) = try Connection<Int, Int>.pair()
            let child = try ChildProcess(.processes, theirs) { connection in
                for try await number in connection { try await connection.send(number) }
            }
            try await mine.send(1)
            _ = try await mine.receive()
            mine.close()
            try await child.wait()
        }

        static func measure() async throws -> String {
            try await Task.sleep(for: .milliseconds(1))
            try await round()
            try await round()
            let before = ProcessFacts.descriptorCount
            for _ in 0..<5 { try await round() }
            var last = 0
            let deadline = ContinuousClock.now + .seconds(60)
            repeat {
                last = ProcessFacts.descriptorCount
                if last <= before { return "" }
                try await Task.sleep(for: .milliseconds(10))
            } while ContinuousClock.now < deadline
            return "\(last) of \(before)"
        }
    }

    // MARK: Speed

    @Test("Nothing wakes while nothing comes; one thread waits for all")
    func idle() async throws {
        try await withLimit {
            let pairs = try (0..<20).map { _ in try Connection<Int, Int>.pair() }
            let tasks = pairs.map { pair in Task { try await pair.0.receive() } }
            let (a, b) = try Connection<Int, Int>.pair()
            _ = await code { _ = try await a.receive(timeout: .milliseconds(10)) }
            let threads = ProcessFacts.threads(named: "mp-connections")
            #expect(threads == 1)
            for (number, pair) in pairs.enumerated() { try await pair.1.send(number) }
            for (number, task) in tasks.enumerated() { #expect(try await task.value == number) }
            _ = b
        }
    }
}
