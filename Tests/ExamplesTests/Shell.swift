import Dispatch
import Glibc

/// Runs commands as a user types them, in the shell.
enum Shell {
    struct Outcome {
        let output: String
        let errors: String
        let status: Int32
    }

    /// Runs a command in `directory`, for at most five minutes.
    ///
    /// `$BIN` is the folder of the examples' executables.
    static func run(_ command: String, in directory: String = Repository.path) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            // On a thread of its own: one that other tests need must not be blocked.
            DispatchQueue(label: "ExamplesTests.shell").async {
                continuation.resume(with: Result { try runBlocking(command, in: directory) })
            }
        }
    }

    private static func runBlocking(_ command: String, in directory: String) throws -> Outcome {
        var name = Array("/tmp/multiprocessing-errors-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0, let errors = fdopen(descriptor, "r") else {
            throw Failure(description: "no temporary file")
        }
        let errorFile = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        defer {
            fclose(errors)
            unlink(errorFile)
        }
        // The command is an argument of its own, so that its quotes stay as they are.
        let script = """
            exec 2>\(errorFile) </dev/null; cd '\(directory)' && BIN='\(try executables())' LC_ALL=C \
            timeout 300 bash -o pipefail -c '\(command.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'
            """
        guard let stream = popen(script, "re") else { throw Failure(description: "no shell") }
        let output = readAll(stream)
        let status = pclose(stream)
        return Outcome(output: output, errors: readAll(errors), status: status >> 8 & 0xFF)
    }

    /// Where the build puts the examples: beside the tests themselves.
    private static func executables() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, Int(PATH_MAX))
        guard count > 0 else { throw Failure(description: "/proc/self/exe cannot be read") }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(path[..<path.lastIndex(of: "/")!])
    }
}
