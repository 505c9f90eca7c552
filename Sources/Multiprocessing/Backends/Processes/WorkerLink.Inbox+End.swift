import MultiprocessingCoding
import MultiprocessingSystem

/// The end of a worker, and what became of what it held.
extension WorkerLink.Inbox {
    /// How much is read of what an ended worker left in its socket.
    private static let restSize = 16 << 20

    /// Settles what the worker held, in this order: what it sent, what it had ready to send,
    /// what it said; only then is an item called lost.
    func processEnded(_ link: WorkerLink) {
        guard !hasEnded else { return }
        hasEnded = true
        // Before the child is reaped, while its number still names its process group.
        link.kill(reportingAsKilled: false)
        control.takeReports(link, self)
        readRestOfOutput(link)
        salvage(link)
        link.streams.readRest()
        isReadingOutput = false
        let status = try? link.process.reap()
        for registration in [output, exit] { registration?.deregister() }
        control.close()
        link.handover.close()
        link.streams.close()
        startTimer?.cancel()

        let failure = WorkerFailure(
            processID: link.process.id.rawValue,
            status: status,
            standardError: link.streams.errorTail,
            protocolError: protocolError,
            killError: killError,
            passedLimit: link.passedLimit
                ?? PassedLimit(of: link.limits, status: status, lastWords: link.streams.errorTail))
        let (held, progress) = link.close()
        guard isReady || link.wasKilled else { return onEnd(failure) }
        onEnd(nil)
        report(held, progress, failure, link)
    }

    private func report(
        _ held: [WorkerLedger.Entry],
        _ progress: WorkerLedger.Progress?,
        _ failure: WorkerFailure,
        _ link: WorkerLink
    ) {
        let error = PoolError.workerCrashed(failure)
        let holding = held.isEmpty ? .unbegun : account(held, progress)
        let report = { @Sendable [events, id = link.id] in events.workerEnded(id, holding: holding, error: error) }
        // What it said comes before what became of it, unless the pool does not want to know.
        link.wasKilled ? report() : link.streams.whenDelivered(on: link.loop.events, report)
    }

    /// What had become of what the worker held, as far as it can be believed.
    private func account(_ held: [WorkerLedger.Entry], _ progress: WorkerLedger.Progress?) -> HeldWork {
        // What came from a worker that cannot be believed is nobody's result.
        if !isTrusted { held[0].chunk.discardResults(from: held[0].sentFrom) }
        switch progress {
        case .unbegun:
            return .unbegun
        case .begun(0, let end) where isTrusted:
            // All results that there were have come, so of a stride that was begun one item at most has run.
            // The worker may also have died between two strides, with no item to blame.
            let chunk = held[0].chunk
            return end > chunk.finishedCount ? .begun(chunk, end: chunk.finishedCount + 1) : .unbegun
        case .begun(let index, let end):
            return .begun(held[index].chunk, end: end)
        case nil:
            // One that says what cannot be may have begun all that it held.
            let last = held[held.count - 1].chunk
            return .begun(last, end: last.count)
        }
    }

    private func readRestOfOutput(_ link: WorkerLink) {
        guard isReadingOutput else { return }
        // A socket holds less than a megabyte, unless the system was told otherwise; a program that the
        // worker left behind could go on writing for ever.
        var rest = Self.restSize
        while rest > 0, case .received(let count) = receive(link) { rest -= count }
    }

    /// Takes the results that the worker had ready but did not get to send; see ``ProgressBoard``.
    private func salvage(_ link: WorkerLink) {
        guard isReady, isTrusted else { return }
        switch results.remains() {
        case .nothing: break
        case .nonsense: isTrusted = false
        case .bytes(let staged, let count, let hasRun):
            staged.withUnsafeBytes { bytes in
                take(UnsafeRawBufferPointer(rebasing: bytes[..<count]), link)
                guard hasRun, isTrusted, assembler.isBetweenFrames else { return }
                salvageRun(UnsafeRawBufferPointer(rebasing: bytes[count...]), link)
            }
        }
    }

    /// Takes the complete values of a run that the worker was still adding to.
    ///
    /// - Parameter count: How many are complete, if its header may have been copied before they were.
    func salvageRun(_ run: UnsafeRawBufferPointer, count: Int? = nil, _ link: WorkerLink) {
        var reader = ByteReader(run)
        guard let header = try? Frame.Header.read(from: &reader), header.kind == .values, header.number > 0,
            let chunk = link.current
        else { return }
        do {
            try sender.read(&reader) { try chunk.receiveValues(count ?? Int(header.number), from: &$0) }
        } catch {
            isTrusted = false
        }
    }
}
