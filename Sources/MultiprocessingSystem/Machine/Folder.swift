internal import Glibc

/// A folder of the file system that a process can work in.
package struct Folder: Hashable, Sendable {
    /// From the root.
    package let path: String

    /// - Parameter path: From the root, or from the folder that this process works in now.
    /// - Throws: With ENOENT, ENOTDIR or EACCES when nobody could work in it.
    package init(_ path: String) throws(SystemError) {
        var full = path
        if !path.hasPrefix("/") {
            guard let current = getcwd(nil, 0) else { throw SystemError(.current, "getcwd") }
            defer { free(current) }
            full = "\(String(cString: current))/\(path)"
        }
        self.path = full
        try check()
    }

    /// Throws if it cannot be worked in any more.
    package func check() throws(SystemError) {
        var status = stat()
        try systemCall("stat \(path)") { stat(path, &status) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError(.notDirectory, "chdir \(path)") }
        try systemCall("chdir \(path)") { access(path, X_OK) }
    }
}
