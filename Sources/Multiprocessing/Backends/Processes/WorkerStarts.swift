/// How worker processes come to be.
///
/// A worker that is started by itself waits for the dynamic linker to load the program, 4 to 9 ms with the libraries that
/// most programs have. One that is forked off a *template*, a process of the program that was stopped when the linker
/// had done its work and before anything else has run, is there in a fraction of that.
///
/// ```swift
/// let pool = try Pool(.processes(starts: .separate))
/// ```
public struct WorkerStarts: Hashable, Sendable {
    let usesTemplate: Bool

    /// Workers that take the place of others are forked off a template, which the pool starts when it has first replaced
    /// one; all others are started by themselves.
    ///
    /// A template is one process more, and the worker that it has forked ahead is another. Both sleep until they are
    /// needed, and end with the pool or the program. The workers of a template have one layout of addresses in common.
    /// Where a template cannot be had or would give workers something else than they are to inherit, they are started
    /// by themselves.
    public static let automatic = WorkerStarts(usesTemplate: true)

    /// Each worker is started by itself, at addresses of its own.
    public static let separate = WorkerStarts(usesTemplate: false)
}
