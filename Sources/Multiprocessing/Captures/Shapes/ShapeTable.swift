import Synchronization

/// The shapes in use, by type.
final class ShapeTable: Sendable {
    static let shared = ShapeTable()

    private let shapes = Mutex<[ObjectIdentifier: Result<any ValueShape, ShapeRefusal>]>([:])

    /// The shape of a type whose metadata exists.
    func shape(of type: Any.Type) throws(ShapeRefusal) -> any ValueShape {
        let key = ObjectIdentifier(type)
        if let known = shapes.withLock({ $0[key] }) { return try known.get() }
        let made = Result { () throws(ShapeRefusal) in
            var resolver = ShapeResolver()
            return try resolver.shape(of: type)
        }
        shapes.withLock { $0[key] = made }
        return try made.get()
    }
}
