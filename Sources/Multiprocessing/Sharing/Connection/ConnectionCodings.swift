import Synchronization

/// How messages become bytes, by their type; made once for each.
enum ConnectionCodings {
    private static let known = Mutex<[ObjectIdentifier: any AnyObject & Sendable]>([:])

    static func coding<Message: Codable & Sendable>() -> QueueCoding<Message> {
        let key = ObjectIdentifier(Message.self)
        if let coding = known.withLock({ $0[key] }) as? QueueCoding<Message> { return coding }
        let made = QueueCoding<Message>.make()
        known.withLock { $0[key] = made }
        return made
    }
}
