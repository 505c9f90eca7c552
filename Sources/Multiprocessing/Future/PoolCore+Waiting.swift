import MultiprocessingSystem
import Synchronization

extension PoolCore {
    /// Submits an item for which the caller will wait, and if items were brief of late, waits for a moment itself.
    ///
    /// The item's end is then seen where it is waited for: no thread has to be woken to tell of it.
    func submitAwaited(_ item: PendingItem) {
        if origin.isElsewhere { return item.endOnce(failing: PoolError.forked, nanoseconds: 0) }
        let now = MonotonicTime.now().nanoseconds
        let assignee = perform(.submitted(item), at: now) { $0.submit(item, now: now) }
        guard let assignee, recentTime.load(ordering: .relaxed) < Self.briefTime,
            let group = state.withLock({ $0.group })
        else { return }
        var watch: (any WorkerWatch)?
        _ = callerWait.wait {
            if item.isFinished { return true }
            if watch == nil { watch = group.watch(assignee) }
            watch?.poll()
            return item.isFinished
        }
        watch?.end()
    }
}
