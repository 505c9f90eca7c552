import MultiprocessingRuntime
import Synchronization

/// Another program that has proved itself to this one's server: what it may call, and how much at a time.
///
/// It reaches the actors that the server offers, and those that their methods have returned to it or to its like: their
/// numbers are known to nobody else, and cannot be guessed. Of these it may call the methods that their types declare.
final class Guest: NetworkPeer {
    private struct State {
        var callCount = 0
        var callSize = 0
    }

    private let offers: ManagerOffers
    private let hosted: HostedActors
    private let address: ActorAddress
    private let state = Mutex(State())

    /// How many calls of one connection run or wait at a time, and the bytes of their arguments.
    private static let callLimit = 10_000
    private static let callSizeLimit = 256 << 20

    /// How many names of keys one connection may send, and how many bytes at a time.
    private static let keyLimit = 1 << 16
    private static let keySizeLimit = 1 << 20

    init(_ offers: ManagerOffers, _ hosted: HostedActors, at address: ActorAddress) {
        self.offers = offers
        self.hosted = hosted
        self.address = address
    }

    // MARK: Actors

    /// The number of the actor that is offered under a name.
    ///
    /// - Throws: ``ActorCallError``.
    func find(_ name: String, _ type: String) throws -> UInt64 {
        try offers.find(name, type)
    }

    func willSend(_ address: ActorAddress, _ number: UInt64) throws {
        guard address == self.address else { throw ActorCallError.isElsewhere(number) }
        hosted.offer(number)
    }

    func didReceive(_ address: ActorAddress, _ number: UInt64) throws {
        guard address == self.address else { throw ActorCallError.isElsewhere(number) }
    }

    // MARK: Calls

    /// Checks a call; returns the types that the method's generic parameters stand for, which are those of the actor.
    ///
    /// - Throws: ``ActorCallError``.
    func check(_ call: ActorFrame.Call, on type: Any.Type) throws -> ActorInvocationDecoder.Generics {
        guard try NetworkNames.name(of: type) == call.type else { throw ActorCallError.notTheCallersType(type) }
        try NetworkNames.check(call.target, isOf: type)
        let arguments = try TypeReference(type).arguments.map { try $0.resolve() }
        guard try arguments.map(NetworkNames.name) == call.generics else { throw ActorCallError.notAMethod(of: type) }
        return .known(arguments)
    }

    /// Counts a call that is about to run.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable`` when there are too many.
    func begin(_ size: Int) throws {
        try state.withLock { state in
            guard state.callCount < Self.callLimit else {
                throw ActorCallError.busy("\(Self.callLimit) calls of one connection are under way")
            }
            guard state.callSize + size <= Self.callSizeLimit else {
                throw ActorCallError.busy("the arguments of its calls have more than \(Self.callSizeLimit) bytes")
            }
            state.callCount += 1
            state.callSize += size
        }
    }

    func end(_ size: Int) {
        state.withLock { state in
            state.callCount -= 1
            state.callSize -= size
        }
    }

    /// - Throws: When there are more names than a program that means well has.
    func checkKeys(_ count: Int, _ size: Int) throws {
        guard count <= Self.keyLimit, size <= Self.keySizeLimit else { throw PortableFailure.unknownFrame }
    }
}

/// What a server offers to other programs: actors under names.
final class ManagerOffers: Sendable {
    private struct Offer {
        let actor: any AnyObject & Sendable
        let number: UInt64
        let type: String
    }

    private struct State {
        var all: [String: Offer] = [:]
        var isOver = false
    }

    private let offers = Mutex(State())

    /// Offers an actor; returns false if something is offered under the name, or nothing will be any more.
    func add(_ name: String, _ actor: any AnyObject & Sendable, _ number: UInt64, type: String) -> Bool {
        offers.withLock { offers in
            guard !offers.isOver, offers.all[name] == nil else { return false }
            offers.all[name] = Offer(actor: actor, number: number, type: type)
            return true
        }
    }

    /// - Returns: Whether there was one.
    func remove(_ name: String) -> Bool {
        let last = offers.withLock { $0.all.removeValue(forKey: name) }
        return last != nil
    }

    /// Offers nothing any more; returns the numbers of what was offered.
    func removeAll() -> [UInt64] {
        let last = offers.withLock { offers in
            defer { offers = State(isOver: true) }
            return offers.all
        }
        return last.values.map(\.number)
    }

    func contains(_ name: String) -> Bool { offers.withLock { $0.all[name] != nil } }

    func find(_ name: String, _ type: String) throws -> UInt64 {
        let (offer, names) = offers.withLock { ($0.all[name], Array($0.all.keys)) }
        guard let offer else { throw ActorCallError.unknownName(name, names) }
        guard offer.type == type else { throw ActorCallError.offeredAsOther(name, offer.type, type) }
        return offer.number
    }
}
