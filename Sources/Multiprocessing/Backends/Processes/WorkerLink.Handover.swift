import MultiprocessingSystem
import Synchronization

extension WorkerLink {
    /// The parent's end of a worker's ``DescriptorLane``, and the wait for room in it.
    ///
    /// Sendable is unchecked because what it holds besides is for the loop only.
    final class Handover: @unchecked Sendable {
        let lane: DescriptorLane

        // For the loop only.
        private var registration: EventLoop.Registration?
        private var isClosed = false

        init(_ lane: DescriptorLane) {
            self.lane = lane
        }

        enum Outcome {
            case done
            /// The link is told when to go on.
            case mustWait
            case peerGone
            case failed
        }

        /// Sends what has to be on its way before the bytes that come next; does not wait.
        func send(_ announced: AnnouncedDescriptors, _ link: WorkerLink) -> Outcome {
            switch Result(catching: { () throws(SystemError) in try lane.send(announced) }) {
            case .success(.sent): return .done
            case .success(.peerGone): return .peerGone
            case .failure: return .failed
            case .success(.mustWait):
                link.loop.events.execute { self.awaitRoom(link) }
                return .mustWait
            case .success(.mustRetry):
                link.loop.events.schedule(after: .milliseconds(Int64(DescriptorLane.retryMilliseconds))) {
                    [weak link] in
                    link?.continueSending()
                }
                return .mustWait
            }
        }

        private func awaitRoom(_ link: WorkerLink) {
            guard !isClosed else { return }
            if let registration {
                // Refused only once it has ended, and then there is nothing to send.
                try? registration.setInterest(.write)
                return
            }
            do throws(SystemError) {
                registration = try link.loop.events.register(lane.number, .write) { [weak link] _ in
                    try? self.registration?.setInterest([])
                    link?.continueSending()
                }
            } catch {
                link.refuse("\(error)")
            }
        }

        /// On the loop, when the worker has ended.
        func close() {
            isClosed = true
            registration?.deregister()
            registration = nil
        }
    }
}
