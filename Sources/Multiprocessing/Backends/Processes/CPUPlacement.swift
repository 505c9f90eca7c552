/// Which cores worker processes run on.
///
/// ```swift
/// let spread = try Pool(.processes(cpus: .spread))
/// let chosen = try Pool(.processes(cpus: .each([[0], [1, 2]])), workers: 2)
/// ```
///
/// Cores are named by their numbers, as the system has them in `/proc/cpuinfo`; those that the thread may use
/// that makes the pool can be named.
public struct CPUPlacement: Hashable, Sendable {
    enum Kind: Hashable {
        case any
        case spread
        case each([[Int]])
    }

    let kind: Kind

    /// Any core that the program may use; the system chooses, and chooses again.
    public static let any = CPUPlacement(kind: .any)

    /// Each worker has one core, the usable cores in turn; with more workers than cores they share.
    public static let spread = CPUPlacement(kind: .spread)

    /// The cores of each worker, by its index; with more workers than lists the lists are used again.
    public static func each(_ cores: [[Int]]) -> CPUPlacement { CPUPlacement(kind: .each(cores)) }
}
