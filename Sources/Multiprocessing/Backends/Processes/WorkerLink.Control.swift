import MultiprocessingSystem

extension WorkerLink {
    /// The parent's end of a worker's control lane.
    ///
    /// Any thread may send. Reading is for whoever has the right to read the worker's output, so that what an item
    /// says of itself comes before its end. Sendable is unchecked for that reason.
    final class Control: @unchecked Sendable {
        let lane: ControlLane

        private var reader = ControlReader()
        /// The last answer that came, and the one that is to be acted upon.
        private var answered: UInt64 = 0
        private var dueAnswer: UInt64?
        private var isReading = true
        /// How many bytes have come, and whether somebody looks whether the rest of a message follows.
        private var receivedCount = 0
        private var isRestAwaited = false

        // For the loop only.
        private var registration: EventLoop.Registration?
        private var isSending = false
        private var isDeferred = false

        /// How much is read in one turn of the loop, so that a worker that says something all the time does not
        /// hold up the others.
        private static let turnSize = 16 << 10

        /// How much is read for one end of work; the worker's socket holds less, unless the system was told otherwise.
        private static let restSize = 1 << 20

        /// How long the rest of a message may take: all of it is sent at once, as long as somebody reads.
        ///
        /// Without a limit it would swallow the worker's next answers, for which nobody asks twice.
        private static let restLimit = Duration.seconds(5)

        init(_ lane: ControlLane) {
            self.lane = lane
        }

        // MARK: Sending

        /// Tells the worker something; does not wait.
        func send(_ message: ControlMessage, _ link: WorkerLink) {
            // Ahead of it, and seen at once: the worker begins nothing before it has heard of it.
            if case .cancel = message { _ = link.board.cancellations.add(1) }
            switch lane.send(message) {
            case .mustWait: link.loop.events.execute { self.setInterest(sending: true) }
            case .refused: link.refuse("it does not read what it is told")
            case .sent, .kept, .peerGone: break
            }
        }

        private func continueSending() {
            if case .mustWait = lane.continueSending() { return }
            setInterest(sending: false)
        }

        // MARK: The loop

        func open(_ link: WorkerLink, _ inbox: Inbox) throws(SystemError) {
            registration = try link.loop.events.register(lane.number, .read) { ready in
                if ready.contains(.write) { self.continueSending() }
                if ready.contains(.read) { self.readLater(link, inbox) }
            }
        }

        func close() {
            registration?.deregister()
        }

        private func setInterest(sending: Bool) {
            isSending = sending
            updateInterest()
        }

        private func updateInterest() {
            var interest: Interest = []
            if isReading, !isDeferred { interest.insert(.read) }
            if isSending { interest.insert(.write) }
            // Refused only once the registration has ended, and then there is nothing to watch.
            try? registration?.setInterest(interest)
        }

        private func readLater(_ link: WorkerLink, _ inbox: Inbox) {
            isDeferred = true
            inbox.whenReading(link) {
                if self.isDeferred {
                    self.isDeferred = false
                    self.updateInterest()
                }
                _ = self.readTurn(link, inbox)
                self.settle(link, inbox)
                if !self.isReading { self.updateInterest() }
            }
            // Readiness stays while another thread reads; the loop is not to go round for it.
            if isDeferred { updateInterest() }
        }

        // MARK: Who has the right to read

        /// Takes what the worker's items have said of themselves before the end of a chunk that is being read.
        func takeReports(_ link: WorkerLink, _ inbox: Inbox) {
            var rest = Self.restSize
            while rest > 0, readTurn(link, inbox) { rest -= Self.turnSize }
            guard dueAnswer != nil else { return }
            // Not now: it has more of the output read.
            link.loop.events.execute { inbox.whenReading(link) { self.settle(link, inbox) } }
        }

        /// Reads once; returns whether there may be more.
        private func readTurn(_ link: WorkerLink, _ inbox: Inbox) -> Bool {
            guard isReading else { return false }
            return withUnsafeTemporaryAllocation(byteCount: Self.turnSize, alignment: 16) { buffer in
                let result: ReceiveResult
                do {
                    result = try lane.receive(&reader, into: buffer) { try take($0, link) }
                } catch {
                    isReading = false
                    inbox.fail(link, "it says what makes no sense: \(error)")
                    return false
                }
                switch result {
                case .wouldBlock: return false
                case .endOfStream:
                    isReading = false
                    link.kill(reportingAsKilled: false)
                    return false
                case .received(let count):
                    receivedCount += count
                    if !reader.isBetweenMessages { awaitRest(link, inbox) }
                    return count == buffer.count
                }
            }
        }

        /// Has a worker ended that has sent a part of a message and does not go on.
        private func awaitRest(_ link: WorkerLink, _ inbox: Inbox) {
            guard !isRestAwaited else { return }
            isRestAwaited = true
            let count = receivedCount
            link.loop.events.schedule(after: Self.restLimit) { [weak link] in
                guard let link else { return }
                inbox.whenReading(link) {
                    self.isRestAwaited = false
                    guard self.isReading, !self.reader.isBetweenMessages else { return }
                    guard self.receivedCount == count else { return self.awaitRest(link, inbox) }
                    inbox.fail(link, "it has sent a part of a message and not the rest")
                }
            }
        }

        private func take(_ message: ControlMessage, _ link: WorkerLink) throws {
            switch message {
            case .answer(let sequence):
                // In order, and each once.
                guard sequence > answered, link.hasInquired(sequence) else { throw PortableFailure.unexpectedAnswer }
                answered = sequence
                dueAnswer = sequence
            case .progress(let progress):
                try link.report(progress)
            case .actorEnded(let actor):
                // Not now: what is decided upon it may end the worker, whose output is being read.
                link.loop.events.execute { link.events.actorEnded(actor, on: link.id) }
            case .cancel, .watchActor:
                throw PortableFailure.unknownFrame
            }
        }

        private func settle(_ link: WorkerLink, _ inbox: Inbox) {
            if let answer = dueAnswer.take() { inbox.settle(answer, link) }
        }
    }
}
