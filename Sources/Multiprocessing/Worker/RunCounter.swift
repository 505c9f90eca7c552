/// Counts the values of a run in memory that the parent can read.
struct RunCounter {
    let board: ProgressBoard
    /// Where the run's header lies.
    let start: Int
    /// How many values were in the run before.
    let count: UInt32

    /// Notes that `made` more values are complete: from now on they are never lost.
    func note(_ made: Int) {
        board.setRunCount(count + UInt32(truncatingIfNeeded: made), at: start)
    }
}
