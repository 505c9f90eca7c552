internal import CMultiprocessing

/// The nice value of this process, and what its children may have.
package enum Niceness {
    /// From -20, first, to 19, last.
    package static var current: Int { Int(mp_niceness()) }

    /// The lowest nice value that this process may give to a child.
    package static var lowestAllowed: Int {
        mp_may_lower_niceness() ? -20 : min(current, Int(mp_lowest_niceness()))
    }
}
