import Glibc
import MultiprocessingSystem
import Testing

@Suite struct CoresTests {
    @Test func thisMachineHasSome() {
        #expect(Cores.usable() >= 1)
        #expect(Cores.usable() <= sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    @Test func affinityLimits() async {
        await #expect(processExitsWith: .success) {
            let child = try ChildProcess(shell: "taskset -a -p 1 $PPID > /dev/null")
            if try child.exitStatus() == .exited(0) {
                #expect(Cores.Source.system.affinity == 1)
            }
        }
    }

    @Test func withoutFilesTheAffinityCounts() {
        #expect(Cores.usable(.init(root: "/nowhere", affinity: 6)) == 6)
        #expect(Cores.usable(.init(root: "/nowhere", affinity: 0)) == 1)
    }

    static let version2 = "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"

    @Test func smallestQuotaOnTheWayToTheRoot() throws {
        let tree = try Tree()
        try tree.write("/proc/self/mountinfo", Self.version2)
        try tree.write("/proc/self/cgroup", "0::/a/b/c\n")
        try tree.write("/sys/fs/cgroup/a/cpu.max", "250000 100000\n")
        try tree.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n")
        try tree.write("/sys/fs/cgroup/a/b/c/cpu.max", "600000 100000\n")
        // 2.5 cores.
        #expect(Cores.usable(.init(root: tree.root, affinity: 16)) == 3)
        #expect(Cores.usable(.init(root: tree.root, affinity: 2)) == 2)
    }

    @Test(arguments: [
        ("max 100000\n", 16), ("1000 100000\n", 1), ("400000 100000\n", 4), ("50000 100000\n", 1), ("", 16),
        ("nonsense\n", 16), ("100000 0\n", 16), ("-5 100000\n", 16), ("nan 100000\n", 16), ("100000\n", 16),
        ("99999999999999999999999 1\n", 16),
    ])
    func quota(text: String, cores: Int) throws {
        let tree = try Tree()
        try tree.write("/proc/self/mountinfo", Self.version2)
        try tree.write("/proc/self/cgroup", "0::/\n")
        try tree.write("/sys/fs/cgroup/cpu.max", text)
        #expect(Cores.usable(.init(root: tree.root, affinity: 16)) == cores)
    }

    @Test func version1() throws {
        let tree = try Tree()
        try tree.write(
            "/proc/self/mountinfo",
            """
            33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            34 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct

            """
        )
        try tree.write("/proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/service\n0::/other\n")
        try tree.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
        try tree.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
        #expect(Cores.usable(.init(root: tree.root, affinity: 16)) == 16)
        try tree.write("/sys/fs/cgroup/cpu,cpuacct/service/cpu.cfs_quota_us", "150000\n")
        try tree.write("/sys/fs/cgroup/cpu,cpuacct/service/cpu.cfs_period_us", "50000\n")
        #expect(Cores.usable(.init(root: tree.root, affinity: 16)) == 3)
    }

    /// Without a namespace for control groups, a container's mount starts at its own group.
    @Test func mountThatShowsAPartOfTheHierarchy() throws {
        let tree = try Tree()
        try tree.write(
            "/proc/self/mountinfo",
            "34 30 0:30 /docker/abc /sys/fs/cgroup/cpu ro master:9 - cgroup cgroup rw,cpu\n"
        )
        try tree.write("/proc/self/cgroup", "4:cpu:/docker/abc\n")
        try tree.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n")
        try tree.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
        #expect(Cores.usable(.init(root: tree.root, affinity: 16)) == 2)
    }

    @Test func groupOutsideTheNamespace() throws {
        let tree = try Tree()
        try tree.write("/proc/self/mountinfo", Self.version2)
        try tree.write("/proc/self/cgroup", "0::/../../elsewhere\n")
        try tree.write("/sys/fs/cgroup/cpu.max", "100000 50000\n")
        #expect(Cores.usable(.init(root: tree.root, affinity: 16)) == 2)
    }
}

/// A file system of a test's own, removed with it.
private final class Tree {
    let root: String

    init() throws {
        var template = Array("/tmp/mp-cores-XXXXXX".utf8CString)
        root = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        let child = try? ChildProcess(shell: "rm -rf '\(root)'")
        _ = try? child?.exitStatus()
    }

    func write(_ path: String, _ text: String) throws {
        var folder = root
        for name in path.split(separator: "/").dropLast() {
            folder += "/" + name
            mkdir(folder, 0o755)
        }
        let file = FileDescriptor(adopting: DescriptorNumber(rawValue: creat(root + path, 0o644)))
        #expect(Glibc.write(file.number.rawValue, text, text.utf8.count) == text.utf8.count)
    }
}
