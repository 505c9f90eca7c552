/// In which order a stream gives its results.
public struct StreamOrder: Hashable, Sendable {
    enum Kind {
        case input
        case completion
    }

    let kind: Kind

    /// As the inputs came; a slow item holds back the results of later ones.
    public static let input = StreamOrder(kind: .input)

    /// As the items end.
    public static let completion = StreamOrder(kind: .completion)
}
