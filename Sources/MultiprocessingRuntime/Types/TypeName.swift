/// The name of a type for people, with its module.
///
/// The runtime names the surroundings of a private or local type by an address, which says
/// nothing to anybody: that part is left out.
package func readableName(of type: Any.Type) -> String {
    var rest = String(reflecting: type)[...]
    var name = ""
    while let start = rest.firstRange(of: "(unknown context at $"),
        let end = rest[start.upperBound...].firstIndex(of: ")")
    {
        name += rest[..<start.lowerBound]
        rest = rest[end...].dropFirst()
        if rest.hasPrefix(".") { rest.removeFirst() }
    }
    return name + rest
}
