/// A generic context made at run time, in which names that mention generic parameters resolve.
///
/// The runtime substitutes parameters by looking at a context descriptor for their depths and
/// positions, and at an array of metadata for their arguments
/// (`SubstGenericParametersFromMetadata` in stdlib/public/runtime/MetadataLookup.cpp). A closure's
/// capture descriptor refers to no context descriptor, so this one stands in: a chain of
/// anonymous contexts, one a depth (`TargetAnonymousContextDescriptor` in
/// include/swift/ABI/Metadata.h), without requirements.
package struct SyntheticGenericContext {
    /// A generic parameter by its depth and its index there.
    package struct Parameter: Hashable {
        package let depth: Int
        package let index: Int

        package init(depth: Int, index: Int) {
            self.depth = depth
            self.index = index
        }

        /// docs/ABI/Mangling.rst: x, q_, q0_, q1_, … at depth 0, qd__, qd_0_, … at depth 1, qd0__, … at depth 2.
        package init?(mangled name: String) {
            var rest = Substring(name)
            func number() -> Int? {
                let digits = rest.prefix { $0.isNumber }
                rest = rest.dropFirst(digits.count)
                guard rest.first == "_" else { return nil }
                rest = rest.dropFirst()
                guard !digits.isEmpty else { return 0 }
                return Int(digits).map { $0 + 1 }
            }
            if name == "x" {
                (depth, index) = (0, 0)
                return
            }
            guard rest.first == "q" else { return nil }
            rest = rest.dropFirst()
            if rest.first == "d" {
                rest = rest.dropFirst()
                guard let depth = number(), let index = number(), rest.isEmpty else { return nil }
                (self.depth, self.index) = (depth + 1, index)
            } else {
                guard let index = number(), rest.isEmpty else { return nil }
                (depth, self.index) = (0, index + 1)
            }
            guard depth < 8, index < 64 else { return nil }
        }
    }

    /// The words of the descriptors, outermost first, and where the innermost begins.
    private let descriptors: [UInt32]
    private let innermost: Int
    private let arguments: [Any.Type]

    package init(_ types: [Parameter: Any.Type]) {
        // Every chain ends in a module, here of kind 0 and unique; its name is the empty string that
        // the zero of its own parent field makes.
        var descriptors: [UInt32] = [0x40, 0, UInt32(bitPattern: -4)]
        var innermost = 0
        var flags: [UInt8] = []
        var arguments: [Any.Type] = []
        for depth in 0...(types.keys.map(\.depth).max() ?? 0) {
            let parent = innermost
            for index in 0..<(types.keys.filter { $0.depth == depth }.map { $0.index + 1 }.max() ?? 0) {
                // 0x80: the argument is stored. A parameter that no capture mentions has none.
                if let type = types.keys.first(where: { $0.depth == depth && $0.index == index }).flatMap({ types[$0] })
                {
                    arguments.append(type)
                    flags.append(0x80)
                } else {
                    flags.append(0)
                }
            }
            innermost = descriptors.count
            // Kind 2 is an anonymous context; 0x80 says that it is generic, 0x40 that it is unique.
            descriptors.append(0xC2)
            descriptors.append(UInt32(bitPattern: Int32(4 * (parent - descriptors.count))))
            descriptors.append(UInt32(flags.count))
            descriptors.append(UInt32(arguments.count))
            for start in stride(from: 0, to: flags.count, by: 4) {
                descriptors.append(
                    (0..<4).reduce(0) { word, byte in
                        start + byte < flags.count ? word | UInt32(flags[start + byte]) << (8 * UInt32(byte)) : word
                    }
                )
            }
        }
        self.descriptors = descriptors
        self.innermost = innermost
        self.arguments = arguments
    }

    /// The type of a name that mentions the parameters.
    package func resolve(_ name: MangledName) -> Any.Type? {
        descriptors.withUnsafeBytes { descriptors in
            arguments.withUnsafeBytes { arguments in
                guard let base = descriptors.baseAddress else { return nil }
                return name.resolve(context: base + 4 * innermost, arguments: arguments.baseAddress)
            }
        }
    }
}
