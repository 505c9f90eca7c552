import CMultiprocessing

/// A variable at the top level of main.swift.
package struct TopLevelVariable: Hashable, Sendable {
    package let name: String
    /// The type as it is written in source.
    package let typeName: String
    /// Where the variable is in this process.
    package let address: UInt
    /// How many bytes of it the executable has; fewer than the type's when the optimizer split it up.
    package let size: Int
    /// The symbol's name; empty if the executable was stripped of its symbols.
    package let mangledName: String

    package init(symbol: String, address: UInt, size: Int) {
        mangledName = symbol
        self.address = address
        self.size = size
        // "main.n : Swift.Int", and "main.(n in _3D67…) : Swift.Int" for a private one.
        let text = Self.demangle(symbol)
        let parts = text.split(separator: " : ", maxSplits: 1).map(String.init)
        var name = (parts.first ?? text).split(separator: " in _", maxSplits: 1).first.map(String.init) ?? text
        name = name.split(separator: ".").last.map(String.init) ?? name
        if name.hasPrefix("(") { name.removeFirst() }
        self.name = name
        typeName = parts.count == 2 ? parts[1] : ""
    }

    /// Whether the program has a distributed method of that mangled name.
    package static func isDistributedMethod(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mp_swift_has_distributed_method($0.baseAddress, $0.count) }
        }
    }

    /// The name as it is written in source, with the type after a colon.
    package static func demangle(_ name: String) -> String {
        guard let text = mp_swift_demangle(name) else { return name }
        defer { mp_free(text) }
        return String(cString: text)
    }
}
