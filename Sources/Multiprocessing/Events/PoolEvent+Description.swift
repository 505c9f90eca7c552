extension PoolEvent: CustomStringConvertible {
    /// The time and what happened, in one line; of a crash without what the worker wrote to its standard error.
    public var description: String { "+\(time.shortText) \(kind)" }
}

extension PoolEvent.Kind: CustomStringConvertible {
    /// What happened, in words.
    public var description: String {
        switch self {
        case .workerStarting(let worker): "\(worker) is starting"
        case .workerReplaced(let worker): "\(worker) is starting in the place of another"
        case .workerReady(let worker, let time): "\(worker) is ready after \(time.shortText)"
        case .workerStartFailed(let worker, let error, let triesAgain):
            "\(worker) could not be started\(triesAgain ? ", which is tried again" : ""): \(error.oneLine)"
        case .workerCrashed(let worker, let error): "\(worker) crashed: \(error.oneLine)"
        case .workerKilled(let worker): "\(worker) is killed"
        case .workerGivenUp(let worker): "\(worker) is given up"
        case .workerRecycled(let worker): "\(worker) is recycled"
        case .workerStopped(let worker): "\(worker) has ended"
        case .itemsQueued(let work): "\(work) queued"
        case .itemsRetried(let work): "\(work) queued again, attempt \(work.attempt)"
        case .itemsStarted(let work, let worker): "\(work) started on \(worker), waited \(work.waited.shortText)"
        case .itemsFinished(let work, let worker): "\(work) finished on \(worker)\(work.runText)"
        case .itemsFailed(let work, let worker, let error):
            "\(work) failed\(worker.placeText)\(work.runText): \(error.oneLine)"
        case .itemsTimedOut(let work, let worker): "\(work) timed out\(worker.placeText)\(work.runText)"
        case .itemsCancelled(let work, let worker): "\(work) cancelled\(worker.placeText)\(work.runText)"
        case .setUpBegan(let worker): "set-up began in \(worker)"
        case .setUpDone(let worker, let time): "set-up done in \(worker) after \(time.shortText)"
        case .setUpFailed(let worker, let error): "set-up failed in \(worker): \(error.oneLine)"
        case .poolResized(let old, let new): "the pool has \(new) workers, not \(old)"
        case .poolEnded: "the pool has ended"
        case .missed(let count): "\(count) events were missed: the reader is too slow"
        }
    }
}

extension PoolWorker: CustomStringConvertible {
    /// The worker's place, and its process if it has one.
    public var description: String {
        processID.map { "worker \(index) (process \($0))" } ?? "worker \(index)"
    }
}

extension PoolWork: CustomStringConvertible {
    /// The number, how many items there are if not one, and the label.
    public var description: String {
        let label = label.map { " “\($0)”" } ?? ""
        return items == 1 ? "item \(number)\(label)" : "chunk \(number)\(label) of \(items) items"
    }

    fileprivate var runText: String { ran.map { " after \($0.shortText)" } ?? "" }
}

extension PoolWorker? {
    fileprivate var placeText: String { map { " on \($0)" } ?? "" }
}

extension Error {
    /// What an error says of itself, without line breaks.
    fileprivate var oneLine: String {
        let text = (self as? PoolError).map { "\($0.code): \($0.message)" } ?? "\(self)"
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension Duration {
    /// Three or four figures and a unit that suits: "1.204 s", "17.3 ms", "250 ns".
    var shortText: String {
        let nanoseconds = Double(components.seconds) * 1e9 + Double(components.attoseconds) / 1e9
        let (scale, unit) =
            switch abs(nanoseconds) {
            case 1e9...: (1e9, "s")
            case 1e6...: (1e6, "ms")
            case 1e3...: (1e3, "µs")
            default: (1, "ns")
            }
        let value = nanoseconds / scale
        let digits: Double =
            switch abs(value) {
            case 100...: 1
            case 10...: 10
            default: scale >= 1e9 ? 1_000 : 100
            }
        let rounded = (value * digits).rounded() / digits
        let text = rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
        return "\(text) \(unit)"
    }
}
