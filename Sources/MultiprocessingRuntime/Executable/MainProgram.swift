/// The code of main.swift, and the variables that belong to it.
package struct MainProgram {
    package struct Variable: Sendable {
        package let addresses: Range<UInt>
        /// The symbol's name; empty without symbols.
        package let symbol: String
    }

    /// By address.
    package let variables: [Variable]

    /// The code of main.swift assigns to each of its variables, if only once; no function does so for it.
    ///
    /// In an optimized build, a variable of another file whose initial value is all zeros cannot be told from one of
    /// main.swift if the code of main.swift assigns to it or takes its address.
    package init(_ file: ExecutableFile, symbols: SymbolTable?) {
        let code = symbols.map { Self.code(of: file, symbols: $0) } ?? Self.codeWithoutSymbols(of: file)
        let used = Self.assigned(by: code, in: file)
        guard !used.isEmpty else {
            variables = []
            return
        }
        if let symbols {
            variables = Self.candidates(among: symbols).filter { candidate in
                let next = used.firstIndex(above: candidate.addresses.lowerBound) { $0 }
                return (next > 0 && used[next - 1] == candidate.addresses.lowerBound)
                    || (next < used.count && candidate.addresses.contains(used[next]))
            }
        } else {
            // How large each is cannot be known: the memory up to the next one may belong to it.
            variables = used.enumerated().compactMap { index, address in
                guard let section = file.section(containing: address) else { return nil }
                let end = section.addresses.upperBound
                let next = index + 1 < used.count ? min(used[index + 1], end) : end
                return Variable(addresses: address..<next, symbol: "")
            }
        }
    }

    /// Variables at file scope whose memory is zero until the program writes to it, and which are not
    /// initialized at their first use.
    private static func candidates(among symbols: SymbolTable) -> [Variable] {
        var candidates: [Variable] = []
        var lazy: Set<String> = []
        symbols.forEach(.object) { entry in
            if entry.nameEnds(with: "Wz") {
                // The mangled name of the variable without its type, and "_Wz".
                lazy.insert(String(entry.name.dropLast(3)))
            } else if entry.isZeroed, entry.size > 0 {
                // The optimizer splits a variable into its fields: "vp.0", "vp.1".
                let name = entry.name
                let whole = name.prefix { $0 != "." }
                guard whole.hasPrefix("$s"), whole.hasSuffix("vp") else { return }
                let addresses = entry.address..<entry.address &+ entry.size
                candidates.append(Variable(addresses: addresses, symbol: String(whole)))
            }
        }
        return candidates.filter { candidate in !lazy.contains { candidate.symbol.hasPrefix($0) } }
            .sorted { $0.addresses.lowerBound < $1.addresses.lowerBound }
    }

    /// The addresses of zeroed memory that `code` does more with than to read it, in their order.
    private static func assigned(by code: [Range<UInt>], in file: ExecutableFile) -> [UInt] {
        var used: Set<UInt> = []
        for part in code {
            MachineCode(file.bytes(at: part), at: part.lowerBound, isAbsolute: file.isAbsolute)
                .forEachReference { address, use in
                    if use == .other, file.section(containing: address)?.kind == .zeroed { used.insert(address) }
                }
        }
        return used.sorted()
    }

    // MARK: Code

    /// The function `main`, and where main.swift awaits, `async_Main` and its parts.
    ///
    /// A bundle of tests can contain the `async_Main` of the programs that it tests, to which its `main` does not lead.
    private static func code(of file: ExecutableFile, symbols: SymbolTable) -> [Range<UInt>] {
        let main = main(of: file)
        var parts: [Range<UInt>] = []
        var later: [Range<UInt>] = []
        symbols.forEach(.function) { entry in
            let range = entry.address..<entry.address &+ entry.size
            if entry.nameBegins(with: "async_Main") {
                later.append(range)
            } else if entry.address == main || (entry.nameBegins(with: "main") && entry.name == "main") {
                // A linker's alias of main has no size.
                if !range.isEmpty { parts.append(range) }
            }
        }
        if later.isEmpty { return parts }
        let reached = Set(codeWithoutSymbols(of: file, from: parts).map(\.lowerBound))
        return parts + later.filter { reached.contains($0.lowerBound) }
    }

    /// Follows from `main` what it hands over to be run asynchronously, and that to its later parts.
    ///
    /// The first of these can be a wrapper that calls the code of main.swift, so its calls are followed as well; then,
    /// without symbols, the code that a type with `@main` begins with is taken for that of a main.swift.
    private static func codeWithoutSymbols(of file: ExecutableFile, from known: [Range<UInt>] = []) -> [Range<UInt>] {
        let functions = FunctionRanges(file, symbols: nil)
        var parts = known
        if parts.isEmpty, let main = main(of: file).flatMap(functions.function) { parts.append(main) }
        var wrappers = Set(parts.map(\.lowerBound))
        let first = wrappers
        var seen = wrappers
        var next = 0
        while next < parts.count {
            let part = parts[next]
            next += 1
            let isWrapper = wrappers.contains(part.lowerBound)
            func follow(_ address: UInt) -> Bool {
                guard let section = file.section(containing: address), section.kind == .code,
                    !section.name.hasPrefix(".plt"), let function = functions.function(at: address)
                else { return false }
                if seen.insert(address).inserted { parts.append(function) }
                return true
            }
            MachineCode(file.bytes(at: part), at: part.lowerBound, isAbsolute: file.isAbsolute)
                .forEachReference { address, use in
                    switch (use, file.section(containing: address)?.kind) {
                    case (.call, .code?):
                        if isWrapper, !first.contains(part.lowerBound) { _ = follow(address) }
                    case (_, .code?):
                        _ = follow(address)
                    case (_, .data?):
                        // An async function pointer begins with the relative address of its code.
                        for pointer in [address, address &- 4] {
                            let code = file.relative(at: pointer)
                            if follow(code), isWrapper { wrappers.insert(code) }
                        }
                    case (_, .zeroed?), (_, nil):
                        break
                    }
                }
        }
        return parts
    }

    /// Where `main` is, as the compiler noted it for the runtime, or else as the code at the entry loads it.
    private static func main(of file: ExecutableFile) -> UInt? {
        if let note = file.section(named: "swift5_entry")?.addresses.lowerBound { return file.relative(at: note) }
        guard let section = file.section(containing: file.entry), section.kind == .code else { return nil }
        let start = file.entry..<min(file.entry &+ 64, section.addresses.upperBound)
        let code = file.bytes(at: start)
        for place in stride(from: 0, to: code.count - 6, by: 1) {
            let value = UInt(bitPattern: Int(code.number(at: place + 3, as: Int32.self)))
            let target = start.lowerBound &+ UInt(place) &+ 7 &+ value
            switch code.number(at: place, as: UInt32.self) & 0xFF_FFFF {
            // lea main(%rip), %rdi
            case 0x3D_8D48: return target
            // mov main@GOTPCREL(%rip), %rdi
            case 0x3D_8B48: return PointerTable(file)[target]
            // mov $main, %rdi
            case 0xC7_C748: return value
            default: continue
            }
        }
        return nil
    }
}
