struct Chart: CustomStringConvertible {
    init(_ rows: [Row]) {}
    var description: String { "<svg/>" }
}
