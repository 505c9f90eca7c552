import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

/// Where lines are kept.
private final class Lines: Sendable {
    private let lines = Mutex<[WorkerOutput.Line]>([])

    func add(_ line: WorkerOutput.Line) { lines.withLock { $0.append(line) } }

    func texts(_ stream: WorkerOutput.Stream) -> [String] {
        lines.withLock { lines in lines.filter { $0.stream == stream }.map(\.text) }
    }

    var all: [WorkerOutput.Line] { lines.withLock { $0 } }
}

/// Counts what the process has said.
private let sayings = Atomic(0)

private func say(_ text: String) {
    _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
}

@Suite("What worker processes write", .serialized, .admitted)
struct WorkerOutputTests {
    @Test("Lines come with their worker and stream, in order, all of them before shutDown returns")
    func lines() async throws {
        let lines = Lines()
        try await withLimit {
            let pool = try Pool(.processes(output: .lines { lines.add($0) }), workers: 2)
            let items = try await pool.map(0..<200, chunkSize: 1) { item -> [Int] in
                print("out \(item)")
                say("err \(sayings.wrappingAdd(1, ordering: .relaxed).oldValue)\n")
                return [item, Worker.current?.index ?? -1]
            }
            _ = try await pool.run {
                print("last", terminator: "")
                return 1
            }
            await pool.shutDown()
            for item in items {
                let line = WorkerOutput.Line(worker: item[1], stream: .standardOutput, text: "out \(item[0])")
                #expect(lines.all.contains(line))
            }
            for worker in 0..<2 {
                // A worker's items come in no certain order, but what it says does.
                let own = (0..<items.count { $0[1] == worker }).map { "err \($0)" }
                let found = lines.all.filter { $0.worker == worker && $0.stream == .standardError }.map(\.text)
                #expect(found == own)
            }
            #expect(lines.texts(.standardOutput).count == 201)
            #expect(lines.texts(.standardOutput).contains("last"))
        }
    }

    @Test("A slow reader gets every line, and workers wait for it")
    func slowReader() async throws {
        let lines = Lines()
        try await withLimit {
            let output = WorkerOutput.lines { line in
                usleep(200)
                lines.add(line)
            }
            let pool = try Pool(.processes(output: output), workers: 1)
            try await pool.run {
                let text = String(repeating: "x", count: 1_000)
                for number in 0..<2_000 { print(number, text) }
            }
            await pool.shutDown()
            let numbers = lines.texts(.standardOutput).map { Int($0.prefix { $0 != " " }) }
            #expect(numbers == Array(0..<2_000))
        }
    }

    @Test("What a worker said before it died comes before its item fails, and is in the error")
    func lastWords() async throws {
        let lines = Lines()
        try await ProcessBackend(output: .lines { lines.add($0) }).withPool { pool in
            let future = pool.submit {
                print("begun")
                say("one\ntwo")
                Crash.killed.happen()
            }
            let error = await future.result.failure as? PoolError
            #expect(lines.texts(.standardOutput) == ["begun"])
            #expect(lines.texts(.standardError) == ["one", "two"])
            #expect(error?.code == .workerCrashed)
            #expect(error?.standardError == "one\ntwo")
        }
    }

    @Test("What is discarded is kept for errors only, and workers go on writing")
    func discarded() async throws {
        try await ProcessBackend(output: .discard).withPool { pool in
            try await pool.run {
                for _ in 0..<3_000 {
                    print("this line must not be seen", "x")
                    say("nor this one, of which there are many\n")
                }
            }
            let error =
                await pool.submit {
                    say("the end\n")
                    Crash.killed.happen()
                }.result.failure as? PoolError
            #expect(error?.standardError?.hasSuffix("the end") == true)
        }
    }

    @Test("Lines are cut where they are too long, and nowhere within a character")
    func splitter() {
        var splitter = LineSplitter(3, .standardOutput)
        let longest = LineSplitter.longest
        let text = "a\n\nb" + String(repeating: "ä", count: longest) + "\nrest"
        var lines: [WorkerOutput.Line] = []
        let bytes = Array(text.utf8)
        var start = 0
        for size in [1, 2, 7, 70_000, bytes.count] {
            let end = min(bytes.count, start + size)
            bytes[start..<end].withUnsafeBytes { lines += splitter.split($0) }
            start = end
        }
        lines += splitter.finish()
        #expect(lines.allSatisfy { $0.worker == 3 && $0.stream == .standardOutput })
        #expect(lines.prefix(2).map(\.text) == ["a", ""])
        #expect(lines.last?.text == "rest")
        let pieces = lines.dropFirst(2).dropLast()
        #expect(pieces.count == 3)
        #expect(pieces.map(\.text).joined() == "b" + String(repeating: "ä", count: longest))
        #expect(pieces.allSatisfy { $0.text.utf8.count <= longest })
        #expect(splitter.finish() == [])
    }
}
