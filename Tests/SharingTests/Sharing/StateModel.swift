/// Everybody who uses something that is shared, in one of the states in which they can be together.
protocol StateModel {
    associatedtype Key: Hashable

    /// Different for different states.
    var key: Key { get }

    /// All that can happen next by itself: each is one atomic access, one sleep or one wake-up of somebody.
    ///
    /// - Throws: What must never be.
    func steps() throws(Violation) -> [Self]

    /// All that may happen next and need not: somebody dies, or gives up.
    func chances() -> [Self]

    /// Whether nobody is left waiting for what is there.
    var isSettled: Bool { get }
}

/// What must never be.
struct Violation: Error, Hashable {
    let what: String
}

extension StateModel {
    /// Visits all that can be reached from here; returns how much that is.
    ///
    /// From everywhere there has to be a way, though nothing happens any more that need not, to where all is settled.
    func explore() throws -> Int {
        var numbers = [key: 0]
        var states = [self]
        var cameFrom: [[Int]] = [[]]
        var next = 0
        while next < states.count {
            let steps = try states[next].steps()
            for (index, state) in (steps + states[next].chances()).enumerated() {
                let number = numbers[state.key, default: states.count]
                if number == states.count {
                    numbers[state.key] = number
                    states.append(state)
                    cameFrom.append([])
                }
                if index < steps.count { cameFrom[number].append(next) }
            }
            next += 1
        }
        var settles = states.map(\.isSettled)
        var open = settles.indices.filter { settles[$0] }
        while let number = open.popLast() {
            for earlier in cameFrom[number] where !settles[earlier] {
                settles[earlier] = true
                open.append(earlier)
            }
        }
        if let stuck = settles.firstIndex(of: false) { throw Violation(what: "no way out of: \(states[stuck])") }
        return states.count
    }
}
