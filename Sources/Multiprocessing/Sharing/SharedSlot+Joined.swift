import MultiprocessingSystem

extension SharedSlot {
    /// Takes a slot for something that has owners, which takes a number in the tree.
    static func joined(_ kind: SharedKind) throws -> SharedSlot {
        _ = try SharedStateError.catching { () throws(SystemError) in try LifePage.current }
        return try make(kind)
    }
}
