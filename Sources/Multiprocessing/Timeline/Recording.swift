import MultiprocessingSystem

/// A pool's run, as a picture needs it: what each worker did when, in bounded memory.
///
/// A value; times are in nanoseconds from the beginning of the record. When there is more than is kept, the shortest
/// neighbours of one worker are taken together, so that long runs become coarser and not longer.
struct Recording {
    /// How items ended; a later one outweighs an earlier one where they are taken together.
    enum Outcome: Int, Comparable {
        case running, finished, cancelled, failed, timedOut, crashed

        static func < (left: Outcome, right: Outcome) -> Bool { left.rawValue < right.rawValue }
    }

    /// Items that ran on one worker, from the first's begin to the last's end.
    struct Bar {
        var start: Int64
        var end: Int64
        /// For how long of it items ran.
        var busy: Int64
        var items: Int
        var failed: Int
        var outcome: Outcome
        /// Which of the labels; `nil` for none.
        var label: Int?
        var number: Int
        /// How many items or chunks were taken together.
        var parts = 1
        var attempt = 1
    }

    /// A moment that is marked.
    struct Mark {
        enum Kind: CaseIterable {
            case crash, kill, timeOut, retry, replacement, recycling, startFailure, givenUp
        }

        let kind: Kind
        let time: Int64
        let text: String
    }

    /// The time of one worker process, or thread, in its place.
    struct Tenancy {
        var start: Int64
        var ready: Int64?
        var end: Int64?
        var processID: Int32?
    }

    /// What the workers of one place did.
    struct Lane {
        var bars: [Bar] = []
        var tenancies: [Tenancy] = []
        var marks: [Mark] = []
    }

    /// What was handed to a worker and has not ended.
    private struct Open {
        let start: Int64
        let work: PoolWork
        let worker: PoolWorker
    }

    /// How much is kept: of bars in all lanes, of marks in one, of samples of the queue.
    static let barLimit = 200_000
    static let markLimit = 5_000
    static let sampleLimit = 16_384

    private(set) var lanes: [Lane] = []
    private(set) var labels: [String] = []
    private(set) var queue: [(time: Int64, items: Int)] = []
    private(set) var end: Int64 = 0
    /// When the record began, from 1970.
    private(set) var wallStart: Duration?
    private(set) var missed = 0
    private(set) var hiddenMarks = 0
    private(set) var isOver = false
    /// What is shorter, and lies closer together, is taken together.
    private(set) var grain: Int64 = 0

    /// By number: what was taken back from one worker and handed to another is the other's.
    private var open: [Int: Open] = [:]
    private var origin: Duration?
    private var barCount = 0
    private var sampleGrain: Int64 = 0

    /// Takes the time, so that the picture ends there.
    mutating func extend(to time: Duration) {
        if origin == nil { origin = time }
        end = max(end, self.time(time))
    }

    mutating func begin(at time: Duration, wallTime: Duration) {
        origin = time
        wallStart = wallTime
    }

    private func time(_ time: Duration) -> Int64 {
        let (seconds, attoseconds) = (time - (origin ?? time)).components
        return max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    // MARK: Events

    mutating func apply(_ event: PoolEvent) {
        if origin == nil { begin(at: event.time, wallTime: event.wallTime) }
        let now = time(event.time)
        end = max(end, now)
        sample(event.queued, at: now)
        switch event.kind {
        case .itemsStarted(let work, let worker):
            // Known from the start, so that what is drawn while it runs has its label.
            if let label = work.label { _ = index(of: label) }
            lane(worker) { _ in }
            open[work.number] = Open(start: now, work: work, worker: worker)
        case .itemsFinished(let work, let worker):
            ended(work, on: worker, .finished, at: now)
        case .itemsFailed(let work, let worker, let error):
            let isCrash = (error as? PoolError)?.code == .workerCrashed
            if let worker = place(of: work, worker) { ended(work, on: worker, isCrash ? .crashed : .failed, at: now) }
        case .itemsTimedOut(let work, let worker):
            guard let worker = place(of: work, worker) else { break }
            ended(work, on: worker, .timedOut, at: now)
            mark(worker, .timeOut, "\(work) timed out", at: now)
        case .itemsCancelled(let work, let worker):
            if let worker = place(of: work, worker) { ended(work, on: worker, .cancelled, at: now) }
        case .missed(let count): missed += count
        case .poolEnded: isOver = true
        case .itemsQueued, .itemsRetried, .setUpBegan, .setUpDone, .poolResized: break
        default: apply(toWorker: event.kind, at: now)
        }
    }

    private mutating func apply(toWorker kind: PoolEvent.Kind, at now: Int64) {
        switch kind {
        case .workerStarting(let worker):
            lane(worker) { $0.tenancies.append(Tenancy(start: now)) }
        case .workerReplaced(let worker):
            lane(worker) { $0.tenancies.append(Tenancy(start: now)) }
            mark(worker, .replacement, "worker \(worker.index) is replaced", at: now)
        case .workerReady(let worker, after: let time):
            lane(worker) { lane in
                if lane.tenancies.last?.ready != nil || lane.tenancies.isEmpty || lane.tenancies.last?.end != nil {
                    lane.tenancies.append(Tenancy(start: max(0, now - time.nanoseconds)))
                }
                lane.tenancies[lane.tenancies.count - 1].ready = now
                lane.tenancies[lane.tenancies.count - 1].processID = worker.processID
            }
        case .workerCrashed(let worker, let error):
            left(worker, at: now)
            mark(worker, .crash, "\(worker) crashed: \(error.message)", at: now)
        case .workerStopped(let worker): left(worker, at: now)
        case .workerKilled(let worker): mark(worker, .kill, "\(worker) is killed", at: now)
        case .workerGivenUp(let worker): mark(worker, .givenUp, "\(worker) is given up", at: now)
        case .workerRecycled(let worker): mark(worker, .recycling, "\(worker) is recycled", at: now)
        case .workerStartFailed(let worker, let error, triesAgain: _):
            left(worker, at: now)
            mark(worker, .startFailure, "\(worker) could not be started: \(error.message)", at: now)
        case .setUpFailed(let worker, let error):
            mark(worker, .startFailure, "set-up failed in \(worker): \(error.message)", at: now)
        default: break
        }
    }

    /// Notes that a worker is gone; what it had begun and is not told of as lost goes back.
    private mutating func left(_ worker: PoolWorker, at now: Int64) {
        for (number, open) in open where open.worker.index == worker.index { self.open[number] = nil }
        lane(worker) { lane in
            guard let last = lane.tenancies.indices.last, lane.tenancies[last].end == nil else { return }
            lane.tenancies[last].end = now
        }
    }

    private mutating func mark(_ worker: PoolWorker, _ kind: Mark.Kind, _ text: String, at now: Int64) {
        let isFull = lane(worker) { lane in
            guard lane.marks.count < Self.markLimit else { return true }
            lane.marks.append(Mark(kind: kind, time: now, text: text))
            return false
        }
        if isFull { hiddenMarks += 1 }
    }

    // MARK: Bars

    /// On which worker items ended that the event may name none for; `nil` if they had not begun.
    private mutating func place(of work: PoolWork, _ worker: PoolWorker?) -> PoolWorker? {
        if let worker { return worker }
        guard let open = open[work.number] else { return nil }
        // A thread goes on with what nobody waits for any more; a process is handed some that it has not begun.
        if open.worker.processID == nil { return open.worker }
        self.open[work.number] = nil
        return nil
    }

    private mutating func ended(_ work: PoolWork, on worker: PoolWorker, _ outcome: Outcome, at now: Int64) {
        let label = work.label.map { index(of: $0) }
        let grain = grain
        let open = open.removeValue(forKey: work.number)
        let start = work.ran.map { now - $0.nanoseconds } ?? open?.start ?? now
        if work.attempt > 1 { mark(worker, .retry, "\(work), attempt \(work.attempt)", at: max(0, min(now, start))) }
        let isNew = lane(worker) { lane in
            // Of a chunk in which some failed there is one event for those, and one for the others.
            if let last = lane.bars.indices.last, lane.bars[last].number == work.number, lane.bars[last].end == now {
                lane.bars[last].items += work.items
                if outcome != .finished { lane.bars[last].failed += work.items }
                lane.bars[last].outcome = max(lane.bars[last].outcome, outcome)
                return false
            }
            let bar = Bar(
                start: min(now, max(start, lane.bars.last?.end ?? 0)), end: now, busy: max(0, now - max(0, start)),
                items: work.items, failed: outcome == .finished ? 0 : work.items, outcome: outcome, label: label,
                number: work.number, attempt: work.attempt)
            if let last = lane.bars.indices.last, Self.join(&lane.bars[last], bar, grain: grain) { return false }
            lane.bars.append(bar)
            return true
        }
        if isNew { barCount += 1 }
        if barCount > Self.barLimit { coarsen() }
    }

    /// Takes a bar together with the one before it, if both are short and close.
    private static func join(_ bar: inout Bar, _ next: Bar, grain: Int64) -> Bool {
        guard next.end - bar.start <= grain, (bar.outcome <= .finished) == (next.outcome <= .finished) else {
            return false
        }
        if next.busy > bar.busy { bar.label = next.label }
        bar.busy += next.busy
        bar.end = next.end
        bar.items += next.items
        bar.failed += next.failed
        bar.parts += next.parts
        bar.outcome = max(bar.outcome, next.outcome)
        return true
    }

    /// Takes neighbours together until half of the room is free.
    private mutating func coarsen() {
        while barCount > Self.barLimit / 2 {
            grain = max(1_000, grain * 2)
            barCount = 0
            for index in lanes.indices {
                var kept: [Bar] = []
                for bar in lanes[index].bars {
                    if let last = kept.indices.last, Self.join(&kept[last], bar, grain: grain) { continue }
                    kept.append(bar)
                }
                lanes[index].bars = kept
                barCount += kept.count
            }
        }
    }

    /// What still runs, as bars that end now.
    func runningBars(_ index: Int) -> [Bar] {
        let floor = lanes[index].bars.last?.end ?? 0
        guard let open = open.values.filter({ $0.worker.index == index }).min(by: { $0.work.number < $1.work.number })
        else { return [] }
        return [
            Bar(
                start: max(open.start, floor), end: end, busy: end - max(open.start, floor), items: open.work.items,
                failed: 0, outcome: .running, label: open.work.label.map { knownIndex(of: $0) },
                number: open.work.number)
        ]
    }

    // MARK: Steps

    private mutating func sample(_ items: Int, at now: Int64) {
        guard let last = queue.last else { return queue.append((now, items)) }
        if last.items == items { return }
        if now - last.time < sampleGrain {
            queue[queue.count - 1].items = max(last.items, items)
            return
        }
        queue.append((now, items))
        guard queue.count > Self.sampleLimit else { return }
        sampleGrain = max(sampleGrain * 2, (end / Int64(Self.sampleLimit)) * 2, 1_000)
        var kept: [(time: Int64, items: Int)] = []
        for sample in queue {
            if let previous = kept.last, sample.time - previous.time < sampleGrain {
                kept[kept.count - 1].items = max(previous.items, sample.items)
            } else {
                kept.append(sample)
            }
        }
        queue = kept
    }

    /// How many labels are told apart: more cannot be in a picture, and would cost a search for each event.
    private static let labelLimit = 63

    /// What the labels beyond the limit are called together, which is the last.
    private static let otherLabels = "other labels"

    private mutating func index(of label: String) -> Int {
        if let index = labels.firstIndex(of: label) { return index }
        if labels.count <= Self.labelLimit { labels.append(labels.count < Self.labelLimit ? label : Self.otherLabels) }
        return labels.count - 1
    }

    /// The place of a label that was met when its work started.
    private func knownIndex(of label: String) -> Int {
        labels.firstIndex(of: label) ?? labels.count - 1
    }

    @discardableResult
    private mutating func lane<Result>(_ worker: PoolWorker, _ body: (inout Lane) -> Result) -> Result {
        while lanes.count <= worker.index { lanes.append(Lane()) }
        return body(&lanes[worker.index])
    }
}

extension Duration {
    /// As a number; of what no clock counts, the largest.
    fileprivate var nanoseconds: Int64 { Int64(clamping: wholeNanoseconds) }
}
