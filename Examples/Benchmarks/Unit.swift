/// What a value is told in, and which way is better.
struct Unit {
    enum Better: String {
        case lower
        case higher
    }

    let name: String
    var better = Better.lower

    /// How many of it are in one of what a run gives: seconds, bytes or a plain number.
    let scale: Double

    static let milliseconds = Unit(name: "ms", scale: 1e3)

    /// Microseconds for each of a number of items.
    static func microseconds(per items: Int) -> Unit {
        Unit(name: "µs", scale: 1e6 / Double(items))
    }

    /// Nanoseconds for each of a number of items.
    static func nanoseconds(per items: Int) -> Unit {
        Unit(name: "ns", scale: 1e9 / Double(items))
    }
}
