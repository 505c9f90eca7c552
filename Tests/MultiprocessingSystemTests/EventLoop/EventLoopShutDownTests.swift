import Glibc
import MultiprocessingSystem
import Synchronization
import Testing

@Suite struct EventLoopShutDownTests {
    @Test func acceptedBodiesRunAndLaterOnesAreRefused() throws {
        let loop = try EventLoop()
        let accepted = Counter()
        let ran = Counter()
        let isDone = Counter()
        let feeder = try NativeThread(name: "mp-test") {
            while loop.execute({ ran.add() }) {
                accepted.add()
            }
            isDone.add()
        }
        try accepted.wait(for: 100)
        loop.shutDown()
        feeder.join()
        #expect(isDone.value == 1)
        #expect(ran.value == accepted.value)
        #expect(loop.execute {} == false)
        loop.shutDown()
        let error = #expect(throws: SystemError.self) {
            _ = try loop.register(.standardInput, .read) { _ in }
        }
        #expect(error?.errno == .canceled)
        loop.schedule(after: .zero) { ran.add() }.cancel()
    }

    @Test func nothingIsLeft() async {
        await #expect(processExitsWith: .success) {
            // The first loop makes whatever is made once.
            try EventLoop().shutDown()
            let descriptors = try openDescriptors()
            let tasks = try threads()
            for round in 0..<50 {
                let loop = try EventLoop()
                let pipe = try PipePair()
                let handler = Token()
                weak let lost = handler
                let registration = try loop.register(pipe.readEnd.number, .read) { [handler] _ in _ = handler }
                loop.schedule(after: .seconds(3600)) { [handler] in _ = handler }
                _ = consume handler
                switch round % 3 {
                case 0:
                    loop.shutDown()
                case 1:
                    // Ends itself.
                    loop.execute { loop.shutDown() }
                default:
                    // Is lost.
                    _ = consume loop
                }
                try waitUntil("everything was released") { lost == nil }
                registration.deregister()
            }
            try waitUntil("the threads have ended") { try threads().isSubset(of: tasks) }
            try expectDescriptors(descriptors)
        }
    }

    @Test func lossOnTheLoopItselfIsNoDeadlock() throws {
        let done = Counter()
        do {
            let loop = try EventLoop()
            loop.execute {
                done.add { loop.isCurrent }
            }
        }
        try done.wait(for: 1)
    }
}

private final class Token: Sendable {}
