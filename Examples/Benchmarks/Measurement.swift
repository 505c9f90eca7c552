/// Something that is measured on the backends, next to its floor and to peers that do the same work.
protocol Measurement {
    var name: String { get }

    /// What is done, in one line.
    var summary: String { get }

    /// What each run gives, in this order.
    var figures: [Figure] { get }

    /// The most rounds that make sense; a run that takes seconds by definition needs few.
    var roundLimit: Int { get }

    /// What to know about the figures, if there is something.
    var notes: [String] { get }

    /// Prepares all that is run in turn.
    ///
    /// What is prepared stays until it is closed, and has to be idle while the others run.
    func contestants() throws -> [Contestant]
}

extension Measurement {
    var roundLimit: Int { .max }
    var notes: [String] { [] }

    /// - Throws: ``WrongResult``, which ends the program: a figure for wrong work would mean nothing.
    func check<Value: Equatable>(_ value: Value, _ expected: Value) throws {
        guard value == expected else {
            throw WrongResult(description: "\(name): the result is \(value) instead of \(expected)")
        }
    }
}

/// Work that was measured gave something else than it should.
struct WrongResult: Error, CustomStringConvertible {
    let description: String
}
