import Glibc

/// The folder of this package, in which the tests were compiled.
enum Repository {
    static let path = String(#filePath.dropLast("/Tests/ExamplesTests/Repository.swift".count))

    static func read(_ file: String) throws -> String {
        guard let stream = fopen("\(path)/\(file)", "re") else { throw Failure(description: "no file \(file)") }
        defer { fclose(stream) }
        return readAll(stream)
    }

    /// The names of the files in a folder.
    static func files(in folder: String) throws -> [String] {
        guard let stream = opendir("\(path)/\(folder)") else { throw Failure(description: "no folder \(folder)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // The entry may be shorter than its type says, so the name is read where it is.
            let place = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let name = String(cString: place.assumingMemoryBound(to: CChar.self))
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The paths of the files below a folder, from there, whose names end so.
    static func allFiles(below folder: String, suffix: String) throws -> [String] {
        try files(in: folder).flatMap { name in
            if name.hasSuffix(suffix) { return [name] }
            var status = stat()
            guard stat("\(path)/\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [] }
            return try allFiles(below: "\(folder)/\(name)", suffix: suffix).map { "\(name)/\($0)" }
        }
    }
}

/// Something that a test needs is not there.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// Reads a stream to its end.
func readAll(_ stream: UnsafeMutablePointer<FILE>) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 {
        bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}
