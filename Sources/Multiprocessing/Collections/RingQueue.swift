/// A first-in, first-out queue in a ring buffer, to which elements can be returned at the front.
package struct RingQueue<Element> {
    private var storage: [Element?]
    private var head = 0
    package private(set) var count = 0

    package init() {
        storage = Array(repeating: nil, count: 16)
    }

    package var isEmpty: Bool { count == 0 }

    /// The element at a distance from the front.
    package subscript(index: Int) -> Element {
        guard index >= 0, index < count, let element = storage[(head + index) & (storage.count - 1)] else {
            preconditionFailure("only elements in the queue are read")
        }
        return element
    }

    /// Whether an element is in the queue for which `isWanted` holds.
    package func contains(where isWanted: (Element) -> Bool) -> Bool {
        (0..<count).contains { isWanted(self[$0]) }
    }

    package var first: Element? { isEmpty ? nil : self[0] }

    /// The first element for which `isWanted` holds.
    package func first(where isWanted: (Element) -> Bool) -> Element? {
        for index in 0..<count where isWanted(self[index]) { return self[index] }
        return nil
    }

    package mutating func append(_ element: Element) {
        growIfFull()
        storage[(head + count) & (storage.count - 1)] = element
        count += 1
    }

    package mutating func prepend(_ element: Element) {
        growIfFull()
        head = (head - 1) & (storage.count - 1)
        storage[head] = element
        count += 1
    }

    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = storage[head].take()
        head = (head + 1) & (storage.count - 1)
        count -= 1
        return element
    }

    /// The size stays a power of two, so that a mask replaces the remainder.
    private mutating func growIfFull() {
        guard count == storage.count else { return }
        var larger = [Element?](repeating: nil, count: storage.count * 2)
        for index in 0..<count {
            larger[index] = storage[(head + index) & (storage.count - 1)].take()
        }
        storage = larger
        head = 0
    }
}

extension RingQueue: Sendable where Element: Sendable {}
