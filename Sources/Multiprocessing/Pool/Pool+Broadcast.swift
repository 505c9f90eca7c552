extension Pool {
    /// Makes a handle for a large value that many items use, and that each worker gets at most once.
    ///
    /// Returns at once: nothing is encoded or sent before an item has the handle. What is wrong with the value's
    /// encoding is the failure of the calls that use it.
    ///
    /// - Parameter value: What ``Broadcast/value`` gives in each item.
    public func broadcast<Value: Codable & Sendable>(_ value: Value) -> Broadcast<Value> {
        Broadcast(value)
    }
}
