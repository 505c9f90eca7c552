import Glibc

/// The regular files under some paths, with their sizes.
///
/// Symbolic links are followed where the user named them, and not below.
struct FileTree {
    struct File {
        let path: Path
        let size: Int
    }

    private(set) var files: [File] = []
    private(set) var problems: [Problem] = []

    /// What holds no text of the user's; in a linked work tree `.git` is a file.
    private static let skipped: Set = [Path(".git"), Path(".build")]

    init(_ roots: [Path]) {
        for root in roots {
            var status = stat()
            guard stat(root.bytes, &status) == 0 else {
                problems.append(.lastError(root))
                continue
            }
            if !add(root, status) {
                problems.append(Problem(path: root, reason: "neither a file nor a directory, skipped"))
            }
        }
    }

    /// Takes in a file, or what lies under a directory; false for anything else.
    private mutating func add(_ path: Path, _ status: stat) -> Bool {
        switch status.st_mode & S_IFMT {
        case S_IFREG: files.append(File(path: path, size: Int(status.st_size)))
        case S_IFDIR: addEntries(of: path)
        default: return false
        }
        return true
    }

    private mutating func addEntries(of directory: Path) {
        // All names are read first, so that no descriptor is open while subdirectories are walked.
        guard let names = entries(of: directory) else {
            problems.append(.lastError(directory))
            return
        }
        for name in names.sorted() where !Self.skipped.contains(name) {
            let path = directory.appending(name)
            var status = stat()
            if lstat(path.bytes, &status) == 0 {
                _ = add(path, status)
            } else {
                problems.append(.lastError(path))
            }
        }
    }

    /// The names in a directory; `nil` if it cannot be read.
    private func entries(of directory: Path) -> [Path]? {
        guard let stream = opendir(directory.bytes) else { return nil }
        defer { closedir(stream) }
        var names: [Path] = []
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
            let name = Path(cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
            if name != Path("."), name != Path("..") { names.append(name) }
        }
        return names
    }
}
