import MultiprocessingRuntime

/// Why values of a type cannot be sent, and what to write instead.
struct CodingObstacle {
    /// What is in the way, as a clause behind "because".
    let reason: String

    /// What to do, as an instruction that others may follow.
    let cure: String

    /// - Parameter type: A type that is not `Codable`.
    init(in type: Any.Type) {
        let culprit = Self.culprit(in: type)
        let name = readableName(of: culprit)
        reason = culprit == type ? "the type is not Codable" : "\(name) is not Codable"
        cure = Self.cure(for: culprit, name)
    }

    /// The innermost type that is not `Codable`, because of which the collections and optionals around it are not.
    private static func culprit(in type: Any.Type) -> Any.Type {
        let name = readableName(of: type)
        let isTransparent =
            ["Swift.Array<", "Swift.ContiguousArray<", "Swift.Set<", "Swift.Dictionary<", "Swift.Optional<"]
            .contains { name.hasPrefix($0) }
        guard isTransparent || isTuple(type), let reference = try? TypeReference(type) else { return type }
        for argument in reference.arguments {
            if let part = try? argument.resolve(), !(part is any Codable.Type) { return culprit(in: part) }
        }
        return type
    }

    private static func isTuple(_ type: Any.Type) -> Bool { TupleCodec<Void>.elements(of: type) != nil }

    private static func cure(for type: Any.Type, _ name: String) -> String {
        if isTuple(type) { return "a tuple inside a value never is, so make it a struct that is Codable" }
        switch type {
        case is Substring.Type, is Character.Type: return "make it a String, as in String($0)"
        case is Unicode.Scalar.Type: return "send its number, which is $0.value"
        case is StaticString.Type: return "make it a String, as in \"\\($0)\""
        case is any UnsafePointing.Type: return "an address means nothing in another process, so send what is there"
        case is any Sequence.Type where name.hasPrefix("Swift."): return "make it an Array, as in Array($0)"
        case _ where name.hasPrefix("Swift.Result<"):
            return "throw the error and return the value, which pool.results gives back as a Result"
        default: break
        }
        // The kinds are those of include/swift/ABI/MetadataKind.def of the Swift project.
        switch unsafeBitCast(type, to: UnsafePointer<UInt>.self).pointee {
        case 0x302: return "pass what the function does as the closure of the work, or make the work a Job"
        case 0x303, 0x307:
            return """
                a worker could not tell which type to make of it, so use one type that is Codable, or an enum with a \
                case for each
                """
        case 0x304, 0x305: return "send what tells the types apart, such as a case of an enum"
        default: return "make it conform to Codable"
        }
    }
}

/// Types of addresses.
private protocol UnsafePointing {}
extension UnsafePointer: UnsafePointing {}
extension UnsafeMutablePointer: UnsafePointing {}
extension UnsafeRawPointer: UnsafePointing {}
extension UnsafeMutableRawPointer: UnsafePointing {}
extension OpaquePointer: UnsafePointing {}
