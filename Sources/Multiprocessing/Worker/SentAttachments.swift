import Synchronization

/// What this worker process has sent its parent ahead of results that refer to it.
final class SentAttachments: AttachmentHolder {
    private struct State {
        /// By their numbers.
        var known: Set<UInt64> = []
        var forgotten: [UInt64] = []
    }

    private let state = Mutex(State())

    /// Follows `state`, for a look without the lock.
    private let hasForgotten = Atomic(false)

    /// Calls `send` with each attachment that the parent does not have, those first that others refer to.
    ///
    /// On the main thread only, like all that is sent.
    func add(_ attachments: [Attachment], _ send: (Attachment) -> Void) {
        for attachment in attachments where state.withLock({ $0.known.insert(attachment.number).inserted }) {
            attachment.addHolder(self)
            add(attachment.attachments, send)
            send(attachment)
        }
    }

    func forget(attachment: UInt64) {
        state.withLock { state in
            guard state.known.remove(attachment) != nil else { return }
            state.forgotten.append(attachment)
            hasForgotten.store(true, ordering: .relaxed)
        }
    }

    /// The numbers of those that are gone, each once.
    func takeForgotten() -> [UInt64] {
        guard hasForgotten.load(ordering: .relaxed) else { return [] }
        return state.withLock { state in
            hasForgotten.store(false, ordering: .relaxed)
            defer { state.forgotten = [] }
            return state.forgotten
        }
    }
}
