/// Why values of a type cannot be captured and sent.
struct ShapeRefusal: Error {
    /// The stored properties and cases that lead to what is in the way, outermost first.
    var path: [String] = []

    /// The type that has them, if what is in the way is only a part of the value.
    var typeName: String?

    /// What is in the way; completes "it captures …".
    let what: String

    /// Whether it is an object.
    private var isObject = false

    /// Whether it is an object that is `Codable` itself, of which coding the whole would send a copy.
    var isCodableObject = false

    /// Whether nothing but its descriptor is left of a type in this build.
    var lacksMetadata = false

    init(_ what: String) {
        self.what = what
    }

    /// The same for a value of the type `name`, of which this was the part `label`.
    func inside(_ name: String, _ label: String) -> ShapeRefusal {
        var outer = self
        outer.typeName = name
        outer.path.insert(label, at: 0)
        return outer
    }

    /// A phrase for ``NotPortable``.
    var reason: String {
        var text = "it captures \(isObject ? "self, or another reference, which is " : "")\(what)"
        if let typeName {
            // In a method, what looks like a variable is a property of self.
            text =
                "it captures a value of type \(typeName) (self, if it uses a property or method of self), "
                + "whose \(path.joined(separator: ".")) is \(what)"
        }
        if lacksMetadata {
            text +=
                "; this optimized build keeps too little of the type to do otherwise, "
                + "so make it conform to Portable, or mark it @usableFromInline"
        }
        return text
    }

    /// The same of a variable; completes "it …".
    var clause: String {
        let text = typeName == nil ? "is \(what)" : "has a part, \(path.joined(separator: ".")), that is \(what)"
        return lacksMetadata ? "\(text), of whose type this optimized build keeps too little" : text
    }

    /// - Parameter advice: What to do instead, if more is known than of other objects.
    static func object(_ name: String, isCodable: Bool, advice: String = "") -> ShapeRefusal {
        var refusal = ShapeRefusal("an instance of \(name), a class or an actor\(advice)")
        refusal.isObject = true
        refusal.isCodableObject = isCodable
        return refusal
    }
}
