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
        let (reason, cure) = obstacle(in: variable)
        let error = PoolError(
            .notPortable,
            """
            \(text(of: use)), which cannot be sent because \(reason); main.swift does not run in a worker, so \(cure), \
            pass the value as an input, or declare the variable in a function
            """)
        return error.about(variable)
    }

    /// Why a variable cannot be sent whose type is not to be had, and what to do, by the name alone.
    private static func obstacle(in variable: TopLevelVariable) -> (reason: String, cure: String) {
        // docs/ABI/Mangling.rst: how the names of functions, metatypes and existentials end.
        if variable.mangledName.hasSuffix("cvp") {
            return ("it is a function", "declare it as a function (func), which every process has")
        }
        if ["mvp", "Xpvp"].contains(where: variable.mangledName.hasSuffix) {
            return ("it is a type", "keep what tells the types apart, such as a case of an enum")
        }
        if variable.mangledName.hasSuffix("pvp") {
            return (
                "a worker process cannot know the type inside",
                "make it of that type itself, or of an enumeration of the types there are"
            )
        }
        return (
            "this build keeps too little of its type",
            "make the type Portable (or the one of this program that is inside it)"
        )
    }

    /// - Parameter refusal: Why a value of `type` cannot be sent.
    static func variableNotPortable(
        _ use: TopLevelVariables.Use,
        _ type: Any.Type,
        _ refusal: ShapeRefusal
    ) -> PoolError {
        let error = PoolError(
            .notPortable,
            """
            \(text(of: use)), which cannot be sent because it \(refusal.clause); main.swift does not run in a worker, so \
            \(refusal.cure(for: type)), or use Pool(.threads)
            """)
        return error.about(use.variable)
    }

    private static func text(of use: TopLevelVariables.Use) -> String {
        """
        the work cannot be sent to a worker process, because it may reach \(use.user ?? "code"), which uses \
        \(use.variable.name), a variable at the top level of main.swift of type \(use.variable.typeName)
        """
    }

    private func about(_ variable: TopLevelVariable) -> PoolError {
        var error = self
        error.typeName = variable.typeName
        return error
    }

    static func variableNotInitialized(_ variable: TopLevelVariable) -> PoolError {
        let error = PoolError(
            .notPortable,
            """
            the work cannot be sent to a worker process, because it may use \(variable.name), a variable of type \
            \(variable.typeName) at the top level of main.swift that has no value yet; move its declaration before this \
            call, or pass the value as an input
            """)
        return error.about(variable)
    }
}

extension ShapeRefusal {
    /// What to do about a variable of main.swift of this type, as an instruction that others may follow.
    fileprivate func cure(for type: Any.Type) -> String {
        if lacksMetadata { return "make its type Portable, or declare it in a function" }
        if path.isEmpty {
            // The kinds are those of include/swift/ABI/MetadataKind.def of the Swift project.
            switch unsafeBitCast(type, to: UnsafePointer<UInt>.self).pointee {
            case 0x302: return "declare it as a function (func), which every process has"
            case 0, 0x203, 0x305: return "make it a static property of a type, which each process makes for itself"
            default: return "\(CodingObstacle(in: type).cure), or declare it as a static property of a type"
            }
        }
        return "keep that out of it, or declare it as a static property of a type, which each process makes for itself"
    }
}
