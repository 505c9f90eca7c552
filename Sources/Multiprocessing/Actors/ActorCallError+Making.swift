import Distributed
import MultiprocessingRuntime
import MultiprocessingSystem

extension ActorCallError {
    static func hostGone(isInDoubt: Bool) -> ActorCallError {
        ActorCallError(
            .hostGone, isInDoubt: isInDoubt,
            isInDoubt
                ? """
                the process that hosts the actor ended before it answered, and nobody knows how far it came; look at \
                what the method changes elsewhere before calling it again
                """
                : """
                the process that hosts the actor has ended, and the actor with it; make a new one, and keep the \
                manager for as long as its actors are needed
                """)
    }

    static func timedOut(_ limit: Duration, isInDoubt: Bool) -> ActorCallError {
        ActorCallError(
            .timedOut, isInDoubt: isInDoubt,
            isInDoubt
                ? "the actor did not answer within \(limit); its task was told by cancellation, and may still go on"
                : "the \(limit) that the call was given were over before it was sent; give it more")
    }

    static func noSuchActor(_ number: UInt64) -> ActorCallError {
        ActorCallError(
            .noSuchActor,
            """
            its host has no actor with the number \(number) any more; keep a reference to an actor, or the manager \
            that hosts it, for as long as it is called
            """)
    }

    static func otherType(_ expected: Any.Type, _ found: Any.Type) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            the actor is a \(readableName(of: found)), and was to be used as a \(readableName(of: expected)); resolve \
            its id as the type that it has
            """)
    }

    static func notTheCallersType(_ found: Any.Type) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            the actor is a \(readableName(of: found)), and the caller takes it for something else; resolve its id as \
            the type that it has
            """)
    }

    static func notCallable(_ target: String, _ error: any Error) -> ActorCallError {
        ActorCallError(.refused, "the host could not begin \(target): \(describe(error))")
    }

    static func genericTwice(_ type: Any.Type, _ target: RemoteCallTarget) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            \(target) is a generic method, and \(readableName(of: type)) a generic actor: Swift's runtime cannot call the \
            one of the other in another process; write the method for the types that it is called with
            """)
    }

    static func otherBuild(of image: String) -> ActorCallError {
        ActorCallError(.refused, "the host of the actor refuses the caller: \(PortableFailure.otherBuild(of: image))")
    }

    static func otherUser() -> ActorCallError {
        ActorCallError(
            .refused, "the process that hosts the actor runs in the name of another user; start both in the same name")
    }

    static func inFork() -> ActorCallError {
        ActorCallError(
            .unavailable,
            """
            this process was forked off one that has called or hosted actors, and has none of its connections; start a \
            program in it (exec), or use actors only after the fork
            """)
    }

    static func unavailable(_ error: any Error) -> ActorCallError {
        ActorCallError(.unavailable, "what a call to an actor takes is not to be had: \(describe(error))")
    }

    static func tooLarge(_ size: UInt64, _ limit: UInt64) -> ActorCallError {
        ActorCallError(
            .refused,
            "a message of \(size) bytes is more than the \(limit) that are taken across a network; send it in parts")
    }

    static func noProof(after limit: Duration) -> ActorCallError {
        ActorCallError(
            .unavailable,
            """
            the other end has not proved within \(limit) that it has the key; is it a ManagerServer, and not too busy?
            """)
    }

    static func unreachable(_ reason: String) -> ActorCallError {
        ActorCallError(
            .unavailable, "the server cannot be reached: \(reason); is it running, and is the address right?")
    }

    static func refused(_ failure: Handshake.Failure) -> ActorCallError {
        switch failure {
        case .key:
            ActorCallError(.refused, "the other end has another key; give both the same one")
        case .stranger:
            ActorCallError(.refused, "who answers there is no ManagerServer; look at the address")
        case .version(let version):
            ActorCallError(
                .refused,
                """
                the other end speaks version \(version) of the protocol and this one \(Handshake.version); use the same \
                version of the library in both programs
                """)
        }
    }

    static func isElsewhere(_ number: UInt64) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            actor \(number) lives in another process than the server's, where the other program cannot reach it; register \
            actors that live in the server's process
            """)
    }

    static func unknownName(_ name: String, _ names: [String]) -> ActorCallError {
        ActorCallError(
            .noSuchActor,
            """
            the server has nothing under the name \(name); it offers \
            \(names.isEmpty ? "nothing" : names.sorted().joined(separator: ", "))
            """)
    }

    static func offeredAsOther(_ name: String, _ found: String, _ wanted: String) -> ActorCallError {
        ActorCallError(
            .refused, "what the server has under the name \(name) is a \(found), and was asked for as a \(wanted)")
    }

    static func busy(_ what: String) -> ActorCallError {
        ActorCallError(.unavailable, "the server is asked for more than it takes at a time: \(what); try again later")
    }
}
