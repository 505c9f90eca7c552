import Glibc
import MultiprocessingSystem
import Synchronization
import Testing

@Suite struct EventLoopTests {
    @Test func handlerIsCalledUntilThereIsNothingLeft() throws {
        let loop = try EventLoop()
        let ends = Ends(try PipePair())
        let calls = Counter()
        let registration = try loop.register(ends.readEnd, .read) { ready in
            #expect(ready == .read)
            #expect(loop.isCurrent)
            // One byte a call: level-triggered readiness brings the rest.
            calls.add(ends.readByte() ? 1 : 0)
        }
        ends.write("12345")
        try calls.wait(for: 5)
        ends.write("6")
        try calls.wait(for: 6)
        registration.deregister()
        registration.deregister()
        loop.shutDown()
        #expect(calls.value == 6)
        #expect(!loop.isCurrent)
    }

    @Test func handlerThatEndedInTheSameBatchIsNotCalled() throws {
        let loop = try EventLoop()
        for _ in 0..<100 {
            let first = Ends(try PipePair())
            let second = Ends(try PipePair())
            first.write("x")
            second.write("x")
            let calls = Counter()
            let both = Registrations()
            let isDone = Counter()
            loop.execute {
                // Both are ready before the loop waits again, so one batch holds both.
                for ends in [first, second] {
                    do {
                        both.append(
                            try loop.register(ends.readEnd, .read) { _ in
                                calls.add()
                                both.deregisterAll()
                                loop.execute { isDone.add() }
                            }
                        )
                    } catch {
                        Issue.record(error)
                    }
                }
            }
            try isDone.wait(for: 1)
            #expect(calls.value == 1)
        }
        loop.shutDown()
    }

    @Test func interestChanges() throws {
        let loop = try EventLoop()
        let pair = try SocketPair()
        let readable = Counter()
        let writable = Counter()
        let box = Registrations()
        box.append(
            try loop.register(pair.first.number, []) { ready in
                if ready.contains(.write) {
                    writable.add()
                    try? box.setInterest(.read)
                }
                if ready.contains(.read) {
                    readable.add()
                    try? box.setInterest([])
                }
            }
        )
        let byte: [UInt8] = [1]
        #expect(try byte.withUnsafeBytes { try pair.second.sendAll($0) })
        try box.setInterest(.write)
        try readable.wait(for: 1)
        loop.shutDown()
        #expect(writable.value == 1)
        #expect(readable.value == 1)
    }

    @Test func hangUpWithoutInterestDoesNotSpin() throws {
        let loop = try EventLoop()
        let end = try SocketPair().takeFirst()
        let calls = Counter()
        let box = Registrations()
        box.append(
            try loop.register(end.number, []) { ready in
                #expect(ready == [.read, .write])
                calls.add()
                try? box.setInterest([])
            }
        )
        // Only now: the handler needs what was registered.
        try box.setInterest([.read, .write])
        try calls.wait(for: 1)
        let before = try loop.wakeUps()
        usleep(50_000)
        // One for each question.
        #expect(try loop.wakeUps() <= before + 2)
        #expect(calls.value == 1)
        loop.shutDown()
    }

    @Test func idleLoopSleeps() throws {
        let loop = try EventLoop()
        let timer = loop.schedule(after: .milliseconds(5)) {}
        timer.cancel()
        let before = try loop.wakeUps()
        // The time in which nothing may happen is what is measured.
        usleep(200_000)
        #expect(try loop.wakeUps() <= before + 2)
        loop.shutDown()
    }

    @Test func bodiesOfOneThreadRunInOrder() throws {
        let loop = try EventLoop()
        let threads = 8
        let each = 12_500
        let last = (0..<threads).map { _ in Counter() }
        let total = Counter()
        try runConcurrently(
            last.map { counter -> @Sendable () -> Void in
                {
                    for index in 0..<each {
                        loop.execute {
                            if counter.value == index {
                                counter.add()
                            }
                            total.add()
                        }
                    }
                }
            }
        )
        try total.wait(for: threads * each)
        #expect(last.map(\.value) == Array(repeating: each, count: threads))
        loop.shutDown()
    }

    @Test func manyBodiesCostFewWakeUps() throws {
        let loop = try EventLoop()
        let before = try loop.wakeUps()
        let isOpen = Mutex(false)
        let count = Counter()
        // The loop is busy while all of them arrive.
        isOpen.withLock { _ in
            loop.execute { isOpen.withLock { $0 = true } }
            for _ in 0..<100_000 {
                loop.execute { count.add() }
            }
            #expect(count.value == 0)
        }
        try count.wait(for: 100_000)
        #expect(try loop.wakeUps() < before + 20)
        loop.shutDown()
    }

    @Test func manyDescriptorsThatComeAndGo() throws {
        let loop = try EventLoop()
        let pairs = 200
        let messages = 50
        let received = Counter()
        let all = try (0..<pairs).map { _ in Ends(try PipePair()) }
        for ends in all {
            // Each ends and starts anew in the middle of a batch now and then.
            Registrations().replace(on: loop, ends, received)
        }
        try runConcurrently(
            (0..<4).map { part -> @Sendable () -> Void in
                {
                    for _ in 0..<messages {
                        for index in stride(from: part, to: pairs, by: 4) {
                            all[index].write("x")
                        }
                    }
                }
            }
        )
        try received.wait(for: pairs * messages)
        loop.shutDown()
        #expect(received.value == pairs * messages)
    }
}
