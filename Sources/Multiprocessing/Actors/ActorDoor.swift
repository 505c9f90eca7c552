import MultiprocessingSystem
import Synchronization

/// The socket on which a process listens for those who call its actors; open for as long as the process.
final class ActorDoor: Sendable {
    private let socket: ListeningSocket
    private let loop: ActorLoop
    private unowned let actors: HostedActors
    private let registration = Mutex<EventLoop.Registration?>(nil)

    /// How long nobody is let in after one could not be, for want of descriptors.
    private static let pause = Duration.milliseconds(20)

    init(at address: ActorAddress, on loop: ActorLoop, to actors: HostedActors) throws(SystemError) {
        socket = try ListeningSocket(abstract: address.socketName)
        self.loop = loop
        self.actors = actors
        ForkMark.keep(socket.number)
        let made = try loop.events.register(socket.number, .read) { _ in self.letIn() }
        registration.withLock { $0 = made }
    }

    private func letIn() {
        do throws(SystemError) {
            while let caller = try socket.accept() {
                guard caller.isOfThisUser() else {
                    ActorCaller.turnAway(caller, on: loop, ActorCallError.otherUser())
                    continue
                }
                ActorCaller(caller, on: loop, to: actors).open()
            }
        } catch {
            // Who waits stays in the queue, and would be reported at once again.
            watch(for: [])
            loop.events.schedule(after: Self.pause) { self.watch(for: .read) }
        }
    }

    private func watch(for interest: Interest) {
        // Refused only once the registration has ended, and it never does.
        try? registration.withLock { $0 }?.setInterest(interest)
    }
}
