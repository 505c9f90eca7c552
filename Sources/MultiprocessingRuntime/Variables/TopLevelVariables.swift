import Synchronization

/// A variable at the top level of main.swift.
package struct TopLevelVariable: Hashable, Sendable {
    package let name: String
    /// The type as it is written in source.
    package let typeName: String
    /// Where the variable is in this process.
    package let address: UInt
    /// How many bytes of it the executable has; fewer than the type's when the optimizer split it up.
    package let size: Int
    /// The symbol's name.
    package let mangledName: String
}

/// Finds the variables of main.swift that a function reads or writes.
///
/// Such a variable belongs to no file that initializes itself: the statements of main.swift assign
/// it as they run. A closure does not capture it but refers to its address, and in a process where
/// main.swift never ran the variable is zero. All other globals are either constants of the
/// executable or initialized at their first use, in each process.
///
/// The search reads machine code, so it is a diagnosis, not a proof: it follows direct calls and
/// addresses of functions within the executable, and sees nothing behind witness tables, methods
/// that subclasses override and other libraries. Without symbols it finds nothing. In an optimized
/// build, a variable of another file whose initial value is all zeros cannot be told from one of
/// main.swift if the code of main.swift assigns to it or takes its address.
package enum TopLevelVariables {
    /// More functions than this are not searched, to bound the time that one closure takes.
    private static let functionLimit = 4096

    private struct Candidates: Sendable {
        let symbols: ExecutableSymbols
        /// Those of ``symbols`` that the code of main.swift refers to.
        let variables: [ExecutableSymbols.Symbol]
    }

    private static let candidates: Candidates? = {
        guard let symbols = ExecutableSymbols.current, !symbols.variables.isEmpty else { return nil }
        // The code of main.swift is `main`, or `async_Main` and its parts where it awaits; it
        // assigns to each of its variables, if only once.
        var used: Set<UInt> = []
        for function in symbols.functions.values
        where function.name == "main" || function.name.hasPrefix("async_Main") {
            MachineCode(function.range).forEachReference { address, mayAssign in
                if mayAssign, let symbol = symbols.variables.first(where: { $0.range.contains(address) }) {
                    used.insert(symbol.range.lowerBound)
                }
            }
        }
        let variables = symbols.variables.filter { used.contains($0.range.lowerBound) }
        guard !variables.isEmpty else { return nil }
        return Candidates(symbols: symbols, variables: variables)
    }()

    private static let known = Mutex<[UInt: [TopLevelVariable]]>([:])

    /// The variables that the code of `reference`, and of the functions it wraps, refers to.
    package static func used(by reference: ClosureReference) -> [TopLevelVariable] {
        guard candidates != nil else { return [] }
        var found: [TopLevelVariable] = []
        for function in reference.functions {
            guard let words = try? function.resolve(context: nil) else { continue }
            for variable in used(by: words) where !found.contains(variable) { found.append(variable) }
        }
        return found
    }

    /// The variables that the code of `words` refers to.
    package static func used(by words: FunctionWords) -> [TopLevelVariable] {
        guard let candidates else { return [] }
        if let found = known.withLock({ $0[words.code] }) { return found }
        let found = search(from: words, in: candidates)
        known.withLock { $0[words.code] = found }
        return found
    }

    private static func search(from words: FunctionWords, in candidates: Candidates) -> [TopLevelVariable] {
        let symbols = candidates.symbols
        func function(at address: UInt) -> UInt? {
            if symbols.functions[address] != nil { return address }
            guard symbols.asyncPointers.contains(address), let pointer = UnsafeRawPointer(bitPattern: address) else {
                return nil
            }
            // An async function pointer begins with the relative address of its code.
            let code = address &+ UInt(bitPattern: Int(pointer.load(as: Int32.self)))
            return symbols.functions[code] == nil ? nil : code
        }
        var found: [ExecutableSymbols.Symbol] = []
        var seen: Set<UInt> = []
        var queue: [UInt] = []
        var next = 0
        if let start = function(at: words.code) { queue.append(start) }
        while next < queue.count, seen.count < functionLimit {
            let address = queue[next]
            next += 1
            guard seen.insert(address).inserted, let symbol = symbols.functions[address] else { continue }
            guard mayReferToUserCode(symbol.name) else { continue }
            MachineCode(symbol.range).forEachReference { target, _ in
                if let variable = candidates.variables.first(where: { $0.range.contains(target) }) {
                    if !found.contains(where: { $0.range == variable.range }) { found.append(variable) }
                } else if let callee = function(at: target) {
                    queue.append(callee)
                }
            }
        }
        return found.map { symbol in
            // "main.n : Swift.Int", and "main.(n in _3D67…) : Swift.Int" for a private one.
            let text = ExecutableSymbols.demangle(symbol.name)
            let parts = text.split(separator: " : ", maxSplits: 1).map(String.init)
            var name = (parts.first ?? text).split(separator: " in _", maxSplits: 1).first.map(String.init) ?? text
            name = name.split(separator: ".").last.map(String.init) ?? name
            if name.hasPrefix("(") { name.removeFirst() }
            return TopLevelVariable(
                name: name,
                typeName: parts.count == 2 ? parts[1] : "",
                address: symbol.range.lowerBound,
                size: symbol.range.count,
                mangledName: symbol.name
            )
        }
    }

    /// Whether the code of this name can lead to code of the user's.
    ///
    /// The standard library may be part of the executable. Its own functions lead to no user's
    /// variable; thunks and specializations of them are made for the user's types and closures,
    /// which the operators of docs/ABI/Mangling.rst tell.
    private static func mayReferToUserCode(_ name: String) -> Bool {
        guard name.hasPrefix("$s") else { return false }
        guard name.hasPrefix("$ss") || name.hasPrefix("$sS") else { return true }
        return ["TR", "TG", "Tg", "Tf", "TA", "Tm"].contains { operation in name.contains(operation) }
    }
}

extension ClosureReference {
    /// The code of this closure and of all functions that it wraps.
    fileprivate var functions: [FunctionReference] {
        guard case .box(_, _, let captures) = context else { return [function] }
        return captures.reduce(into: [function]) { functions, capture in
            if case .function(let inner) = capture { functions += inner.functions }
        }
    }
}
