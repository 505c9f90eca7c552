import MultiprocessingSystem
import Synchronization

/// The loops in which a thread runs the items of a chunk.
extension BatchChunk {
    /// What to run next.
    func nextStride(_ inputs: ArraySlice<Input>) -> ArraySlice<Input>? {
        guard !isCancelled, claims.claim() else { return nil }
        return inputs.dropFirst(finishedCount).prefix(stride)
    }

    func runSynchronously(_ inputs: ArraySlice<Input>, _ loop: ItemLoop<Input, Output>) {
        inputs.withUnsafeBufferPointer { inputs in
            if let places {
                _ = runStrides(inputs, loop, into: places + finishedCount)
            } else {
                result.outputs = [Output](unsafeUninitializedCapacity: count) { outputs, initializedCount in
                    // There is one: a chunk has at least one item.
                    guard let start = outputs.baseAddress else { return }
                    initializedCount = runStrides(inputs, loop, into: start)
                }
            }
        }
    }

    /// Runs stride after stride, and puts the values behind one another; returns how many there are.
    func runStrides(
        _ inputs: UnsafeBufferPointer<Input>,
        _ loop: ItemLoop<Input, Output>,
        into outputs: UnsafeMutablePointer<Output>
    ) -> Int {
        var total = 0
        var begun = 0
        while finishedCount < count {
            let part = UnsafeBufferPointer(rebasing: inputs[finishedCount..<count])
            var made = 0
            var failure: (any Error)?
            do {
                try loop.run(part, outputs + total, &made, &begun, self, nil)
            } catch {
                failure = PoolError.thrown(error)
            }
            total += made
            finishedCount += made
            begun -= made
            guard let failure else { break }
            receiveFailure(failure)
            if stopsAtFailure { break }
            begun -= 1
            // In places of their own, what comes behind it does not move up.
            if places != nil { total += 1 }
        }
        return total
    }

    func runAsynchronously(
        _ inputs: ArraySlice<Input>,
        _ body: (Input) async throws -> Output
    ) async -> Bool {
        for input in inputs {
            guard !isCancelled else { return false }
            do {
                receive(try await body(input))
            } catch {
                receiveFailure(PoolError.thrown(error))
                if stopsAtFailure { return false }
            }
        }
        return true
    }

    // MARK: Running on a thread with a limit

    /// Runs item after item, each of which can be taken: nothing of the chunk is touched then.
    func runGuarded(_ inputs: ArraySlice<Input>, _ body: ItemBody<Input, Output>) async {
        guard finishedCount < count, !isCancelled, claims.claim() else { return noteParts() }
        var item = finishedCount
        let run = beginGuarded(item)
        while true {
            let input = inputs[inputs.startIndex + item]
            let outcome: Result<Output, any Error>
            do {
                switch body {
                case .synchronous(let body): outcome = .success(try body(input))
                case .asynchronous(let body): outcome = .success(try await body(input))
                }
            } catch {
                outcome = .failure(PoolError.thrown(error))
            }
            guard run.settle(item) else { return }
            guard goesOn(behind: outcome) else { break }
            item += 1
            run.begin(item, now: MonotonicTime.now().nanoseconds)
        }
        noteParts()
        run.end()
    }

    /// Takes what came of an item; returns whether the next one is begun.
    func goesOn(behind outcome: Result<Output, any Error>) -> Bool {
        switch outcome {
        case .success(let value): receive(value)
        case .failure(let error):
            receiveFailure(error)
            if stopsAtFailure { return false }
        }
        return finishedCount < count && !isCancelled && claims.claim()
    }

    /// Runs stride after stride, of which each item can be taken: nothing of the chunk is touched then.
    func runWatched(_ inputs: ArraySlice<Input>, _ loop: ItemLoop<Input, Output>) {
        guard finishedCount < count, !isCancelled else { return noteParts() }
        // With places, and without retries, an item that was taken has its call fail: nobody gets the places then, which
        // live for as long as this chunk, and bits that come there late do no harm.
        let isInPlace = places != nil && pipeline.options.retry == nil
        let run = StagedRun<Output>(capacity: remainingCount, first: finishedCount, isInPlace: isInPlace)
        stagedRun.withLock { $0 = run }
        guard inputs.withUnsafeBufferPointer({ runStrides($0, loop, run) }) else { return }
        receive(run)
        noteParts()
        run.watch.end()
    }

    /// Runs strides, and stages the values; `false` if an item was taken, and the chunk with it.
    func runStrides(
        _ inputs: UnsafeBufferPointer<Input>, _ loop: ItemLoop<Input, Output>, _ run: StagedRun<Output>
    ) -> Bool {
        var begun = 0
        while run.end < count, !hasToStop {
            if run.room == 0 { receive(run) }
            guard let outputs = run.next(places) else { break }
            let part = UnsafeBufferPointer(rebasing: inputs[run.end..<min(count, run.end + run.room)])
            run.watch.prepare(run.end)
            var made = 0
            var failure: (any Error)?
            do {
                try loop.run(part, outputs, &made, &begun, self, run.watch)
            } catch {
                failure = PoolError.thrown(error)
            }
            run.count += made
            begun -= made
            guard run.watch.settle() else {
                run.dropRest()
                return false
            }
            if let failure {
                receive(run)
                receiveFailure(failure)
                run.start += 1
                begun -= 1
            } else if made < part.count {
                break
            }
        }
        return true
    }

    /// Whether an item has failed behind which none is to start.
    var hasToStop: Bool { hasFailed && stopsAtFailure }

    /// Takes the values that a run has staged, which is over, or has the right to settle.
    func receive(_ run: StagedRun<Output>) {
        // Behind what another thread has done with them.
        let taken = run.takenCount.load(ordering: .acquiring)
        receive(run, taken..<run.count)
        run.start += run.count
        run.count = 0
        run.takenCount.store(0, ordering: .relaxed)
    }

    func receive(_ run: StagedRun<Output>, _ values: Range<Int>) {
        if let stage = run.stage {
            if let places {
                (places + finishedCount).moveInitialize(from: stage + values.lowerBound, count: values.count)
            } else {
                let values = UnsafeMutableBufferPointer(start: stage + values.lowerBound, count: values.count)
                result.outputs.append(contentsOf: values)
                values.deinitialize()
            }
        }
        finishedCount += values.count
    }
}
