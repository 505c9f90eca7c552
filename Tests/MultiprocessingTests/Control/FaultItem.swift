import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport

/// An item of the fault soak: it notes that it runs, and then does what it is told.
struct FaultItem: Job {
    let index: Int
    let deed: Deed
    let notebook: Notebook
    /// The process of the pool: a worker thread has the same.
    var program = getpid()

    enum Deed: Codable {
        case value
        case failure
        case crash(Crash)
        /// Fails in its first attempt, by a crash or by an error, and gives its value in the next.
        case flaky(Crash?)
        case hang(Hang)

        var isHang: Bool { if case .hang = self { true } else { false } }
        var isFlaky: Bool { if case .flaky = self { true } else { false } }
    }

    /// Ways not to end.
    ///
    /// On a thread, which nothing can stop, all of them end after a while.
    enum Hang: String, Codable, CaseIterable {
        case tightLoop
        case blockingCall
        /// Stops when it is told to.
        case listens
        /// The worker ignores `SIGTERM`.
        case deaf
        /// It has started a program.
        case withChild
    }

    struct Failure: Error, Codable, Equatable {
        let index: Int
    }

    struct Output: Codable {
        let index: Int
        let bytes: [UInt8]
    }

    private var size: Int { index % 100 == 0 ? 1 << 20 : index % 300 }

    func run() throws -> Output {
        let attempt = Worker.current?.attempt ?? 0
        notebook.write("run \(index) \(attempt) \(getpid())")
        switch deed {
        case .value: usleep(UInt32(index % 4) * 400)
        case .failure: throw Failure(index: index)
        case .crash(let crash): crash.happen()
        case .flaky(let crash):
            guard attempt == 1 else { break }
            crash?.happen()
            throw Failure(index: index)
        case .hang(let hang): try self.hang(hang)
        }
        return Output(index: index, bytes: Array(repeating: UInt8(index & 0xFF), count: size))
    }

    /// Whether a value is what this item gives.
    func gives(_ output: Output) -> Bool {
        output.index == index && output.bytes.consists(of: UInt8(index & 0xFF), count: size)
    }

    private func hang(_ hang: Hang) throws {
        let isOwnProcess = getpid() != program
        switch hang {
        case .listens:
            _ = blockUntilCancelled()
        case .deaf:
            signal(SIGTERM, SIG_IGN)
        case .withChild:
            notebook.write("child \(try Grandchild.start())")
        case .tightLoop, .blockingCall:
            break
        }
        guard hang != .listens else { return }
        let end = isOwnProcess ? UInt64.max : MonotonicTime.now().nanoseconds + 150_000_000
        while MonotonicTime.now().nanoseconds < end {
            if hang != .tightLoop, hang != .deaf { usleep(isOwnProcess ? 100_000_000 : 150_000) }
        }
    }
}
