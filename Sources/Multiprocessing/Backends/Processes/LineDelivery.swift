import Dispatch
import Synchronization

/// Hands the lines of a pool's workers to its owner, one at a time.
///
/// While too much waits for an owner who is slow, no more is read, and workers that write wait.
final class LineDelivery: Sendable {
    private static let limit = 256 << 10

    private let handler: @Sendable (WorkerOutput.Line) -> Void
    private let queue = DispatchQueue(label: "Multiprocessing.worker-output")
    /// How many bytes wait, about.
    private let waiting = Atomic(0)

    init(to handler: @escaping @Sendable (WorkerOutput.Line) -> Void) {
        self.handler = handler
    }

    var takesMore: Bool { waiting.load(ordering: .relaxed) < Self.limit }

    func deliver(_ lines: [WorkerOutput.Line]) {
        guard !lines.isEmpty else { return }
        // An empty line takes memory too.
        let count = lines.reduce(0) { $0 + $1.text.utf8.count + 32 }
        waiting.wrappingAdd(count, ordering: .relaxed)
        queue.async { [self] in
            for line in lines { handler(line) }
            waiting.wrappingSubtract(count, ordering: .relaxed)
        }
    }

    /// Runs `body` behind what was delivered before.
    func whenDelivered(_ body: @escaping @Sendable () -> Void) {
        queue.async(execute: body)
    }
}
