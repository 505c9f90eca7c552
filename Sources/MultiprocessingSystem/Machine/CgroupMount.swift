/// A place where a hierarchy of control groups that counts CPU time is mounted.
struct CgroupMount: Equatable {
    enum Version: Equatable {
        case one
        case two
    }

    let version: Version

    /// The group that shows at the mount point: "/" unless a container sees a part of the hierarchy.
    let group: String

    let mountPoint: String

    /// Reads the lines of `/proc/self/mountinfo` that matter here.
    static func parse(_ mountInfo: String) -> [CgroupMount] {
        mountInfo.split(separator: "\n").compactMap { line in
            // 36 35 98:0 <group> <mount point> <options> <tags…> - <type> <source> <super options>
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
                return nil
            }
            let version: Version
            switch fields[dash + 1] {
            case "cgroup2": version = .two
            case "cgroup" where fields[dash + 3].split(separator: ",").contains("cpu"): version = .one
            default: return nil
            }
            return CgroupMount(version: version, group: String(fields[3]), mountPoint: String(fields[4]))
        }
    }

    /// The folder of a group and those of the groups around it, as far as the mount shows them.
    func folders(ofGroup path: String) -> [String] {
        var names = path.split(separator: "/")
        let hidden = group.split(separator: "/")
        if names.starts(with: hidden) {
            names.removeFirst(hidden.count)
        } else {
            // The group lies outside what the mount shows; its top is the nearest there is.
            names = []
        }
        // A path from a control group namespace can lead out of it.
        if names.contains("..") {
            names = []
        }
        return (0...names.count).map { count in
            names.prefix(count).reduce(mountPoint) { $0 + "/" + $1 }
        }
    }
}
