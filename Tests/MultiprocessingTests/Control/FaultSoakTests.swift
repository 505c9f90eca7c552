import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Control {
    /// 1,000 items, or 5,000 as many times as `MULTIPROCESSING_SOAKS` says; `MULTIPROCESSING_SEED` repeats a seed.
    ///
    /// What happened comes in a file: to read what a process prints takes one more of this one's threads; see
    /// `OwnProcess`.
    @Suite("Fault soak")
    struct FaultSoakTests {
        private static func number(_ name: String) -> UInt64? {
            getenv(name).flatMap { UInt64(String(cString: $0)) }
        }

        @Test(
            "Items that fail in every way: each ends once, as it should, and nothing is left", .ownProcess,
            arguments: TestBackend.allCases)
        func faults(_ backend: TestBackend) async throws {
            let seed = Self.number("MULTIPROCESSING_SEED") ?? .random(in: 0..<1_000_000)
            let times = Self.number("MULTIPROCESSING_SOAKS") ?? 0
            print("fault soak: seed \(seed)")
            let report = try Notebook()
            defer { report.remove() }
            await #expect(processExitsWith: .success) {
                [
                    isThreads = (backend == .threads) as Bool, seed = seed as UInt64, times = times as UInt64,
                    report = report as Notebook,
                ] in
                try await Self.run(isThreads ? .threads : .processes, seed: seed, times: Int(times), report)
            }
            print(report.lines.joined(separator: "\n"))
        }

        private static func run(_ backend: TestBackend, seed: UInt64, times: Int, _ report: Notebook) async throws {
            let itemCount = times == 0 ? 1_000 : 5_000
            // What the first pool makes stays: Dispatch's queues, the relay of standard error.
            try await run(backend, seed: seed, count: itemCount / 10, report)
            let before = Usage(descriptors: Usage.current.descriptors, threads: Usage.current.threads, children: 0)
            try await run(backend, seed: seed, count: itemCount, report)
            let memory = residentMemory
            for round in 1..<UInt64(max(times, 2)) {
                // The second only for its memory, unless more are wanted.
                let count = times < 2 ? itemCount / 5 : itemCount
                try await run(backend, seed: seed &+ round &* 1_000, count: count, report)
            }
            await before.expectAgain()
            let growth = residentMemory - memory
            #expect(growth < 48 << 20, "memory grew by \(growth >> 20) MiB")
            report.write("memory grew by \(growth >> 10) KiB; \(Usage.current) are left, of \(before)")
        }

        private static func run(_ backend: TestBackend, seed: UInt64, count: Int, _ report: Notebook) async throws {
            try await withLimit(.seconds(400)) {
                let notebook = try Notebook()
                defer { notebook.remove() }
                let soak = FaultSoak(backend: backend, seed: seed, count: count, notebook: notebook, report: report)
                try await soak.run()
            }
        }

        /// In bytes.
        private static var residentMemory: Int {
            guard let file = fopen("/proc/self/statm", "re") else { return 0 }
            defer { fclose(file) }
            var buffer = [UInt8](repeating: 0, count: 256)
            let text = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
            return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * Int(getpagesize())
        }
    }
}
