import Foundation
import Testing

/// The examples run, and show what they are to show.
@Suite("The examples")
struct ProgramTests {
    @Test("quickstart shows both backends")
    func quickstart() async throws {
        let run = try await Shell.run("$BIN/quickstart")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("ThreadBackend"))
        #expect(run.output.contains("ProcessBackend"))
        #expect(run.output.contains("caught: workerCrashed"))
        #expect(run.output.contains("and the pool goes on: [-1, -2, -3]"))
    }

    @Test("quickstart shows one backend", arguments: ["threads", "processes"])
    func quickstart(backend: String) async throws {
        let run = try await Shell.run("$BIN/quickstart --backend \(backend) --workers 1")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("ThreadBackend") == (backend == "threads"))
        #expect(run.output.contains("ProcessBackend") == (backend == "processes"))
        #expect(run.output.contains("78498 primes below 1 million, Worker(index: 0,"))
        #expect(run.output.contains("1  2  4  8  16  32  64  128  256  512\n"))
    }

    @Test("survive accounts for all its items, leaves no process, and writes its picture")
    func survive() async throws {
        let picture = "/tmp/survive-test-\(ProcessInfo.processInfo.processIdentifier).svg"
        defer { try? FileManager.default.removeItem(atPath: picture) }
        let run = try await Shell.run("$BIN/survive \(picture)")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains("\n64 items, 18 crashes, 6 stopped at their deadline,\n2 at their memory limit; "))
        #expect(run.output.hasSuffix("\n0 items unaccounted for, 0 processes left\n"))
        let endings = [
            "signal 4 ", "signal 6 ", "signal 9 ", "signal 11 ", "exit code 3", "error Refusal",
            "timed out after 3.0 seconds", "more memory than 256 MiB",
        ]
        for ending in endings { #expect(run.output.contains(ending), "\(ending): \(run.output)") }
        #expect(run.output.split(separator: "\n").count { $0.contains(" value ") } == 36)
        #expect(!run.output.contains("\n0 were replaced"), "\(run.output)")
        let text = try String(contentsOfFile: picture, encoding: .utf8)
        #expect(text.hasPrefix("<svg ") && text.contains("survive"))
    }

    @Test("pipeline counts right, also with a consumer killed", arguments: ["processes", "threads"])
    func pipeline(backend: String) async throws {
        let run = try await Shell.run("$BIN/pipeline --backend \(backend) Sources Examples")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains("\nkilled the consumer with process id ") == (backend == "processes"))
        #expect(run.output.hasSuffix("\nthe sums are those of a count without workers\n"))
    }

    @Test("registry serves a program of another build")
    func registry() async throws {
        let run = try await Shell.run("$BIN/registry")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(
            run.output == """
                counted: and=2 bird=1 cat=1 dog=1 the=3
                ada has 3
                refused: -1
                ada 3
                words: and=2 bird=1 cat=1 dog=1 from the client=1 the=3
                the server has nothing under the name secrets; it offers scores, words
                what the server has under the name words is a Multiprocessing.ManagedDictionary<Swift.String, Swift.Int>, and \
                was asked for as a Multiprocessing.ManagedArray<Swift.Int>
                the server and its client agree

                """)
    }

    @Test("registry-client says what it needs, and what is wrong with an address")
    func registryClient() async throws {
        let usage = try await Shell.run("$BIN/registry-client")
        #expect(usage.output.contains("usage: registry-client HOST PORT KEY-FILE"))
        let run = try await Shell.run("$BIN/registry-client 127.0.0.1 1 /dev/null")
        #expect(run.status != 0)
        #expect(run.errors.contains("no regular file"), "\(run.errors)")
    }
}
