internal import Glibc

/// The CPU time that control groups leave to this process, version 1 and version 2.
struct CPUQuota {
    /// What stands before `/proc` and `/sys`.
    let root: String

    /// The smallest quota of this process's group and of all the groups around it, in cores; nil without one.
    func smallest() -> Double? {
        let mounts = CgroupMount.parse(read("/proc/self/mountinfo"))
        var smallest: Double?
        for line in read("/proc/self/cgroup").split(separator: "\n") {
            // "0::/path" for version 2, "4:cpu,cpuacct:/path" for version 1.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else {
                continue
            }
            let version: CgroupMount.Version
            if fields[1].isEmpty {
                version = .two
            } else if fields[1].split(separator: ",").contains("cpu") {
                version = .one
            } else {
                continue
            }
            for mount in mounts where mount.version == version {
                for folder in mount.folders(ofGroup: String(fields[2])) {
                    if let quota = quota(in: folder, version) {
                        smallest = min(smallest ?? quota, quota)
                    }
                }
            }
        }
        return smallest
    }

    private func quota(in folder: String, _ version: CgroupMount.Version) -> Double? {
        let quota: Double?
        let period: Double?
        switch version {
        case .two:
            // "max 100000", or quota and period in microseconds.
            let fields = read(folder + "/cpu.max").split { $0 == " " || $0 == "\n" }
            guard fields.count == 2 else {
                return nil
            }
            quota = Double(fields[0])
            period = Double(fields[1])
        case .one:
            // -1 means none.
            quota = number(in: folder + "/cpu.cfs_quota_us")
            period = number(in: folder + "/cpu.cfs_period_us")
        }
        guard let quota, let period, quota > 0, period > 0, (quota / period).isFinite, quota / period < 1e9 else {
            return nil
        }
        return quota / period
    }

    private func number(in path: String) -> Double? {
        read(path).split(separator: "\n").first.flatMap { Double($0) }
    }

    /// The text of a file; empty when it cannot be read, which means no limit.
    private func read(_ path: String) -> String {
        do throws(SystemError) {
            return String(decoding: try FileDescriptor.open(root + path).readToEnd(), as: UTF8.self)
        } catch {
            return ""
        }
    }
}
