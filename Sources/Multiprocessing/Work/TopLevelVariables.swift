package import MultiprocessingRuntime
import Synchronization

/// Finds the variables of main.swift that work in a worker process can read or write.
///
/// Such a variable belongs to no file that initializes itself: the statements of main.swift assign
/// it as they run. A closure does not capture it but refers to its address, and in a process where
/// main.swift never ran the variable is zero. All other globals are either constants of the
/// executable or initialized at their first use, in each process.
///
/// What work can reach is more than what it does reach; see ``ReferenceGraph``. A program without such variables, which
/// is every one that begins with `@main`, is not searched.
package enum TopLevelVariables {
    /// What was found out about the executable, once for all work.
    private final class Analysis: Sendable {
        let file: ExecutableFile
        let variables: [MainProgram.Variable]
        let graph: ReferenceGraph

        /// - Returns: `nil` for an executable without such variables.
        init?() throws(NotPortable) {
            let file = try ExecutableFile()
            let symbols = SymbolTable(file.bytes)
            variables = MainProgram(file, symbols: symbols).variables
            guard !variables.isEmpty else { return nil }
            self.file = file
            let functions = FunctionRanges(file, symbols: symbols)
            graph = ReferenceGraph(
                file, functions: functions, symbols: symbols, variables: variables.map(\.addresses))
        }

        /// The name of the function that begins at `address`, as it is written in source.
        func functionName(at address: UInt) -> String? {
            var name: String?
            SymbolTable(file.bytes)?.forEach(.function) { entry in
                if entry.address == address, name == nil { name = entry.name }
            }
            return name.map(TopLevelVariable.demangle)
        }
    }

    private static let analysis = Mutex<Analysis??>(nil)

    private static func analyze() throws(NotPortable) -> Analysis? {
        if let known = analysis.withLock({ $0 }) { return known }
        // What fails now, for want of a descriptor for instance, may work the next time.
        let made = try Analysis()
        analysis.withLock { $0 = .some(made) }
        return made
    }

    /// A variable, and where it is used.
    package struct Use: Sendable {
        package let variable: TopLevelVariable
        /// The function that refers to it, as it is written in source; `nil` if it has no name.
        package let user: String?
    }

    /// The variables that work can reach which consists of `closure`, or else of a job, with values of these types.
    ///
    /// - Throws: When the executable cannot be searched.
    package static func reached(
        by closure: ClosureShape?,
        types: [Any.Type]
    ) throws(NotPortable) -> [Use] {
        guard let analysis = try analyze() else { return [] }
        var roots = WorkRoots()
        for type in types { try roots.add(type) }
        if let closure { try roots.add(closure) } else { roots.addJobs() }
        let base = analysis.file.base
        let found = analysis.graph.variables(reachedFrom: roots.addresses.map { $0 &- base })
        return found.sorted { $0.key < $1.key }.map { index, user in
            let variable = analysis.variables[index]
            return Use(
                variable: TopLevelVariable(
                    symbol: variable.symbol, address: variable.addresses.lowerBound &+ base,
                    size: variable.addresses.count),
                user: analysis.functionName(at: user))
        }
    }
}
