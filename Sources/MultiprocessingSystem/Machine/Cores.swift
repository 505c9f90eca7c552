internal import CMultiprocessing
internal import Glibc

/// How many cores this process may use.
package struct Cores: Sendable {
    /// What the system says, as a value, so that a test can describe another system.
    package struct Source: Sendable {
        /// What stands before `/proc` and `/sys`.
        package var root: String

        /// The number of processors that the scheduler may run this process on.
        package var affinity: Int

        package init(root: String, affinity: Int) {
            self.root = root
            self.affinity = affinity
        }

        /// The system that the process runs on.
        package static var system: Source {
            let affinity = Int(mp_affinity_count())
            return Source(root: "", affinity: affinity > 0 ? affinity : sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        }
    }

    /// The cores that this process may really use, at least 1.
    ///
    /// Asked once: affinity and quotas are set before a program starts, as a rule.
    package static let usableHere = usable()

    /// The processors of the affinity mask, or the control groups' CPU quota if that is less; at least 1.
    ///
    /// A quota of two and a half cores counts as three. Reads files: ask once.
    package static func usable(_ source: Source = .system) -> Int {
        let quota = CPUQuota(root: source.root).smallest()
        let limit = quota.map { Int($0.rounded(.up)) } ?? source.affinity
        return max(1, min(source.affinity, limit))
    }
}
