import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// Whether all came as it had to.
extension FaultSoak {
    /// Checks one item's end against what it did and how it was called.
    func check(_ result: Result<FaultItem.Output, any Error>, of item: FaultItem, _ way: Way) {
        switch result {
        case .success(let output):
            #expect(item.gives(output), "item \(item.index) gave another's value")
            tally.note { $0.succeeded.insert(item.index) }
            switch item.deed {
            case .value: break
            case .flaky: #expect(way.isRetried, "item \(item.index)")
            case .hang(let hang):
                // On threads it ends after a while, and may be cancelled before it can know of it.
                #expect(hang == .listens || backend == .threads, "item \(item.index) did \(hang) and gave a value")
            case .failure, .crash: Issue.record("item \(item.index), \(item.deed), gave a value")
            }
        case .failure(let error as FaultItem.Failure):
            #expect(error.index == item.index)
            if case .failure = item.deed {} else { Issue.record("item \(item.index), \(item.deed), threw") }
        case .failure(is CancellationError):
            tally.note { $0.cancelled += 1 }
            #expect(way.isCancelled, "item \(item.index) of \(way) was cancelled")
        case .failure(let error as PoolError) where error.code == .timedOut:
            check(timedOut: error, item, way)
        case .failure(let error):
            check(crashed: error, item)
        }
    }

    private func check(timedOut error: PoolError, _ item: FaultItem, _ way: Way) {
        switch way {
        case .timeout(let limit):
            #expect(error.limit == limit)
            #expect(item.deed.isHang, "item \(item.index), \(item.deed), timed out after \(limit)")
            tally.note { $0.timedOut += 1 }
        case .queueTimeout(let limit):
            #expect(error.limit == limit)
            tally.note { $0.expired.insert(item.index) }
        case .plain, .cancelled, .retried:
            Issue.record("item \(item.index) of \(way): \(error)")
        }
    }

    private func check(crashed error: any Error, _ item: FaultItem) {
        guard backend == .processes else {
            Issue.record("item \(item.index), \(item.deed): \(error)")
            return
        }
        if case .crash(let crash) = item.deed, (error as? PoolError)?.signal != Crash.killed.signals.first {
            crash.expect(error)
        } else {
            Crash.killed.expect(error)
            if case .crash(.killed) = item.deed { return }
            noteLost("item \(item.index), \(item.deed)", error)
        }
    }

    /// Notes an item that was lost with a worker, and what is known of that.
    func noteLost(_ item: String, _ error: any Error) {
        tally.note { $0.lost.append("\(item): \(error)") }
    }

    func check(_ statistics: PoolStatistics) {
        #expect(statistics.queued == 0 && statistics.running == 0)
        #expect(statistics.busyWorkers == 0 && statistics.idleWorkers == 0 && statistics.startingWorkers == 0)
        let ended = statistics.finished + statistics.failed + statistics.timedOut + statistics.cancelled
        #expect(statistics.submitted == ended, "\(statistics)")
    }

    /// Compares what the items wrote with how they ended.
    func checkNotebook() async {
        // The handlers have a queue of their own, which may be behind the futures.
        await expectSoon("handlers were not called") { tally.counts.withLock { $0.endings.count } == count / 2 }
        let counts = tally.counts.withLock { $0 }
        var runs: [Int: [Int]] = [:]
        var children: [Int32] = []
        for line in notebook.lines {
            let words = line.split(separator: " ")
            switch words[0] {
            case "run": runs[Int(words[1])!, default: []].append(Int(words[2])!)
            default: children.append(Int32(words[1])!)
            }
        }
        var unnoted = 0
        for (index, attempts) in runs {
            #expect(Set(attempts).count == attempts.count, "item \(index) ran twice in attempts \(attempts)")
            // A worker that is killed at the start of an item leaves no note of it.
            unnoted += attempts.max()! - attempts.count
        }
        let again = counts.endings.filter { $0.value != 1 }
        #expect(counts.endings.count == count / 2 && again.isEmpty, "handlers were called so often: \(again)")
        #expect(counts.succeeded.allSatisfy { runs[$0] != nil }, "a value came from nowhere")
        #expect(counts.expired.allSatisfy { runs[$0] == nil }, "items ran that had waited for too long")
        #expect(
            counts.lost.count + unnoted <= counts.kills,
            """
            \(counts.lost.count) items were lost and \(unnoted) not noted by \(counts.kills) kills:
            \(counts.lost.joined(separator: "\n"))
            """)
        await expectSoon("programs that items started are left") {
            children.allSatisfy { !ProcessFacts.isRunning($0) }
        }
        report.write(
            """
            fault soak on \(backend): \(counts.succeeded.count) values, \(counts.timedOut) timed out, \
            \(counts.expired.count) waited too long, \(counts.cancelled) cancelled, \(counts.kills) kills cost \
            \(counts.lost.count) items, \(children.count) children, \(counts.resizes) resizes
            \(counts.lost.joined(separator: "\n"))
            """)
    }
}

extension FaultSoak.Way {
    var isRetried: Bool { if case .retried = self { true } else { false } }
    var isCancelled: Bool { if case .cancelled = self { true } else { false } }
}
