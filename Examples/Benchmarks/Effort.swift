/// How much work a measurement does.
enum Effort {
    case full
    /// Just enough to see that everything runs.
    case quick

    func pick(_ full: Int, quick: Int) -> Int {
        self == .full ? full : quick
    }
}
