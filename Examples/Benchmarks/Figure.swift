/// One of the values that a run gives.
struct Figure {
    /// Which of several; nil if there is only one.
    var detail: String?
    let unit: Unit

    /// What peers are sent for it; nil if they have nothing like it.
    var peerCommand: String?

    /// The figure of the same run that this one is set against, where that is the floor.
    var baseline: Int?
}
