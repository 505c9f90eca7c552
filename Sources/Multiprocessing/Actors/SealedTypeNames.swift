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
}
