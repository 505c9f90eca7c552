import MultiprocessingRuntime

/// Errors about variables of main.swift.
extension PoolError {
    static func variableNotPortable(_ use: TopLevelVariables.Use) -> PoolError {
        let variable = use.variable
        guard !variable.mangledName.isEmpty else {
            return PoolError(
                .notPortable,
                """
                the work cannot be sent to a worker process, because it may use a variable at the top level of \
                main.swift, which does not run in a worker, and the executable was stripped of the symbols that tell \
                which; keep them (strip --strip-debug does), declare the variables of main.swift in a function or a \
                type, or use Pool(.threads)
                """)
        }
        var error = PoolError(
            .notPortable,
            """
            the work cannot be sent to a worker process, because it may reach \(use.user ?? "code"), which uses \
            \(variable.name), a variable at the top level of main.swift of type \(variable.typeName), which cannot be \
            sent; main.swift does not run in a worker, so keep objects out of it (or make its type Portable, if the build \
            keeps too little of it), pass the value as an input, or declare the variable in a function
            """)
        error.typeName = variable.typeName
        return error
    }

    static func variableNotInitialized(_ variable: TopLevelVariable) -> PoolError {
        var error = PoolError(
            .notPortable,
            """
            the work cannot be sent to a worker process, because it may use \(variable.name), a variable of type \
            \(variable.typeName) at the top level of main.swift that has no value yet, or one whose bits are all zero, \
            which cannot be told from none; move its declaration before this call, or pass the value as an input
            """)
        error.typeName = variable.typeName
        return error
    }
}
