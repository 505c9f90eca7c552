import MultiprocessingCoding
import MultiprocessingSystem

/// What a worker that is interrupted has ready.
extension WorkerLink.Inbox {
    /// Takes every result that there is of what a worker was stopped in; false if it cannot be believed.
    func takeAll(_ link: WorkerLink) -> Bool {
        readOutput(link) { true }
        takeStaged(link)
        if link.isStoppedInCurrent, !takeOpenRun(link) {
            // It may have made a frame of the run meanwhile, and may send that at any time.
            takeStaged(link)
            readOutput(link) { true }
        }
        return isTrusted
    }

    /// Takes the complete values of the run that a worker, which goes on, is adding to; they come again later,
    /// when they are dropped.
    ///
    /// - Returns: False if there are none.
    private func takeOpenRun(_ link: WorkerLink) -> Bool {
        guard isReady, isTrusted, isReadingOutput, assembler.isBetweenFrames,
            let (run, count) = results.copyOpenRun()
        else { return false }
        run.withUnsafeBytes { salvageRun($0, count: count, link) }
        if !isTrusted { fail(link, "the results that it has ready make no sense") }
        return true
    }
}
