import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    /// Files of a program that are replaced by others while it runs.
    struct ReplacedFileTests {
        private let folder: String

        init() throws {
            var template = Array("/tmp/multiprocessing-XXXXXX".utf8CString)
            try #require(mkdtemp(&template) != nil)
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        @Test(
            "A worker that loads another build of a library is refused",
            arguments: ["-Wl,--build-id", "-Wl,--build-id=none"], ["mv", "cp"])
        func library(linking option: String, putting put: String) async throws {
            try await withLimit {
                defer { remove() }
                try await build(1, option)
                let lines = try await run("LD_PRELOAD=\(folder)/libplug.so", program: ProbeProcess.path) {
                    try await build(2, option, put)
                }
                #expect(lines.first == "first 42")
                let second = lines.last ?? ""
                #expect(second.hasPrefix("second workerStartFailed"))
                #expect(second.contains("another build of \(folder)/libplug.so"))
                #expect(second.contains("restart the program"))
            }
        }

        @Test("The same build in another file is the same")
        func sameBuild() async throws {
            try await withLimit {
                defer { remove() }
                try await build(1, "-Wl,--build-id")
                let lines = try await run("LD_PRELOAD=\(folder)/libplug.so", program: ProbeProcess.path) {
                    try await build(1, "-Wl,--build-id")
                }
                #expect(lines == ["first 42", "ready", "second 42"])
            }
        }

        @Test("A program whose executable is replaced goes on with its own")
        func executable() async throws {
            try await withLimit {
                defer { remove() }
                try await shell("cp '\(ProbeProcess.path)' '\(folder)/program'")
                let lines = try await run("A=B", program: "\(folder)/program") {
                    try await shell("cp /bin/true '\(folder)/new'; mv '\(folder)/new' '\(folder)/program'")
                }
                #expect(lines == ["first 42", "ready", "second 42"])
            }
        }

        /// Runs the program with a variable set, and `replace` between its first and its second worker.
        private func run(
            _ variable: String, program: String, _ replace: () async throws -> Void
        ) async throws -> [String] {
            let probe = try ProbeProcess(
                ["\(variable)", program, "replaced", "\(folder)/flag"], path: "/usr/bin/env")
            let before = try await probe.lines(until: "ready")
            try await replace()
            try await shell("touch '\(folder)/flag'")
            return before + (try await probe.remainingLines())
        }

        /// Builds a library, and puts it where an earlier one may be in use: in its place, or into its file.
        private func build(_ version: Int, _ option: String, _ put: String = "mv") async throws {
            let source = "int plug_first(void) { return \(version); } int plug_second(void) { return -\(version); }"
            try await shell(
                """
                cd '\(folder)' && echo '\(source)' > plug.c && clang -shared -fPIC \(option) -o new.so plug.c \
                && \(put) new.so libplug.so
                """)
        }

        private func shell(_ command: String) async throws {
            let shell = try ProbeProcess(["-c", command], path: "/bin/sh")
            _ = try await shell.remainingLines()
            #expect(try await shell.exitStatus() == .exited(0))
        }

        private func remove() {
            for name in ["plug.c", "libplug.so", "new.so", "program", "new", "flag"] { unlink("\(folder)/\(name)") }
            rmdir(folder)
        }
    }
}
