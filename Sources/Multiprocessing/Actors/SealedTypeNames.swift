import Distributed
import MultiprocessingRuntime
import Synchronization

/// Names of types as they travel with calls to actors, made once for each type.
enum SealedTypeNames {
    private static let known = Mutex<[ObjectIdentifier: [UInt8]]>([:])

    static func name(of type: Any.Type) throws -> [UInt8] {
        let key = ObjectIdentifier(type)
        if let name = known.withLock({ $0[key] }) { return name }
        var name: [UInt8] = []
        do {
            try TypeReference(type).encode(into: &name)
        } catch {
            throw PoolError.notNamed(error)
        }
        name.seal()
        known.withLock { $0[key] = name }
        return name
    }

    static func type(named name: [UInt8]) throws -> Any.Type {
        var reader = try ReferenceReader(sealed: name)
        return try TypeReference(decoding: &reader).resolve()
    }

    /// Refuses a generic method of a generic actor.
    ///
    /// Swift 6.3's runtime gives such a method the actor's arguments in place of its own, and the host crashes.
    ///
    /// - Parameter count: How many types the call names: the actor's arguments, and the method's behind them.
    static func checkGenerics(_ count: Int, of type: Any.Type, _ target: RemoteCallTarget) throws {
        guard count > 0 else { return }
        let arguments: Int
        do {
            arguments = try TypeReference(type).arguments.count
        } catch {
            throw PoolError.notNamed(error)
        }
        if arguments > 0, count > arguments { throw ActorCallError.genericTwice(type, target) }
    }
}
