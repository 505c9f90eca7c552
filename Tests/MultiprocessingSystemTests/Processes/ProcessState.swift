import Glibc
import Testing

/// The numbers of this process's open descriptors, without the one that lists them.
///
/// Timers (timerfd) are left out: Dispatch makes them when it likes, and this package none.
func openDescriptors() throws -> Set<Int> {
    let directory = try #require(opendir("/proc/self/fd"))
    defer { closedir(directory) }
    var numbers = Set(entries(of: directory))
    numbers.remove(Int(dirfd(directory)))
    return numbers.filter { number in
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/self/fd/\(number)", &target, target.count)
        return count != "anon_inode:[timerfd]".utf8.count || strncmp(target, "anon_inode:[timerfd]", count) != 0
    }
}

/// Fails unless no descriptor is open but those.
///
/// Waits for a moment, because the test runner's own threads open files in between.
func expectDescriptors(_ expected: Set<Int>) throws {
    try waitUntil("every other descriptor was closed") {
        try openDescriptors().isSubset(of: expected)
    }
}

/// The kernel's identifiers of this process's threads.
func threads() throws -> Set<Int> {
    let directory = try #require(opendir("/proc/self/task"))
    defer { closedir(directory) }
    return Set(entries(of: directory))
}

private func entries(of directory: OpaquePointer) -> [Int] {
    var numbers: [Int] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if let number = Int(name) {
            numbers.append(number)
        }
    }
    return numbers
}
