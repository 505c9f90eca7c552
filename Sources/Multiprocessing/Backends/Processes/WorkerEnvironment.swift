/// The environment variables that worker processes have.
///
/// They are copied when the pool is made: what the program sets later does not reach its workers, also not those
/// that are started later.
///
/// ```swift
/// let environment = WorkerEnvironment.inherit.updating(["TZ": "UTC", "TOKEN": nil])
/// let pool = try Pool(.processes(environment: environment))
/// ```
public struct WorkerEnvironment: Hashable, Sendable {
    let isInherited: Bool
    var changes: [String: String?]

    /// The program's own variables.
    public static let inherit = WorkerEnvironment(isInherited: true, changes: [:])

    /// These variables and no others.
    ///
    /// The shared libraries of a program that finds them by `LD_LIBRARY_PATH` alone need that variable here too.
    public static func custom(_ variables: [String: String]) -> WorkerEnvironment {
        WorkerEnvironment(isInherited: false, changes: variables.mapValues { $0 })
    }

    /// This environment with some variables changed; `nil` removes one.
    public func updating(_ variables: [String: String?]) -> WorkerEnvironment {
        var copy = self
        copy.changes.merge(variables) { $1 }
        return copy
    }
}

/// Whether a worker process that crashes prints a backtrace, which the Swift runtime makes.
///
/// Making one takes seconds and can take a gigabyte of memory; the item fails only after it. It is printed to the
/// worker's standard error.
public struct CrashBacktraces: Hashable, Sendable {
    enum Kind {
        case automatic
        case on
        case off
    }

    let kind: Kind

    /// As `SWIFT_BACKTRACE` says in the workers' environment; without that variable none is made.
    public static let automatic = CrashBacktraces(kind: .automatic)
    /// Made, in the manner that `SWIFT_BACKTRACE` says, if it is set.
    public static let on = CrashBacktraces(kind: .on)
    /// Not made, whatever the environment says.
    public static let off = CrashBacktraces(kind: .off)
}
