import TestSupport
import Testing

/// Captures in a program of its own, whose types are used for nothing else: an optimized build leaves out their metadata.
@Suite(.admitted(for: .seconds(300)))
struct CaptureProgramTests {
    @Test func `Types that only a capture names`() async throws {
        let program = try ProbeProcess([], path: ProbeProcess.path.dropLast("probe".count) + "captures")
        let lines = try await program.remainingLines()
        for line in lines.dropLast() { #expect(line.hasSuffix(": ok")) }
        #expect(lines.count > 70)
        #expect(lines.last == "all ok")
    }
}
