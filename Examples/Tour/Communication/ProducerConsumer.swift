import Multiprocessing

/// A producer sends pieces of work through a queue, a consumer does them and sends what comes of it.
enum ProducerConsumer: Program {
    static let about = "producer and consumer, with a queue of functions and their arguments"

    /// A function with its argument.
    enum Work: Job {
        case double(Double)

        func run() -> Double {
            switch self {
            case .double(let number): number * 2
            }
        }
    }

    static func run(on stage: Stage) async throws {
        let (tasks, results) = (try SharedQueue<Work?>(), try SharedQueue<Double>())
        let nap = stage.nap

        let producer = try ChildProcess(stage.backend, tasks) { tasks in
            for wait in waits {
                try await Task.sleep(for: nap * wait)
                try await tasks.send(.double(wait))
            }
            try await tasks.send(nil)
            say("stop producer")
        }
        let consumer = try ChildProcess(stage.backend, (tasks, results)) { (tasks, results) in
            while let task = try await tasks.receive() {
                try await results.send(task.run())
                try tasks.taskDone()
            }
            try tasks.taskDone()
        }
        try await producer.value
        try await tasks.join(timeout: .seconds(60))
        try await consumer.value

        var doubled: [Double] = []
        while let result = try results.tryReceive() {
            say("result: \(result)")
            doubled.append(result)
        }
        try expect(doubled, is: waits.map { $0 * 2 }, "the results")
    }

    /// Waits, as chance would have them, up to the first above nine tenths.
    private static var waits: [Double] {
        var (waits, state) = ([Double](), 11 as UInt64)
        repeat {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            waits.append(Double(state >> 54) / 1024)
        } while waits.last! <= 0.9
        return waits
    }
}
