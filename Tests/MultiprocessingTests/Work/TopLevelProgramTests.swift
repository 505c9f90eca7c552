import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

/// The program `toplevel`, which runs work that uses variables of its main.swift in many ways.
@Suite(.admitted)
struct TopLevelProgramTests {
    /// What cannot be sent: work that uses an object, a function, a type, or a variable that has no value yet; and
    /// what the error says of it.
    private static let refused = [
        "refused object": "app, a variable", "refused object out of sight": "app, a variable",
        "refused object in a job": "app, a variable", "refused pool": "pool, a variable",
        "refused closure": "declare it as a function", "refused type": "it is a type",
        "refused before its declaration": "late, a variable",
    ]

    /// What an optimized build refuses, because it keeps nothing of the variable's type.
    private static let refusedWhenOptimized = [
        "fields that its coding leaves out", "word of its name", "words in a tuple", "words in an optional",
        "words in an array", "words in a dictionary", "words in a generic", "words in a nested generic",
        "words of a portable type in a generic",
    ]

    private static var path: String {
        ProbeProcess.path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/toplevel"
    }

    @Test func `On threads every use is right`() async throws {
        let lines = try await run(Self.path, "threads")
        #expect(lines.allSatisfy { $0.hasSuffix(": right") }, "\(lines)")
    }

    @Test func `On processes a use is right, or refused with the name of the variable`() async throws {
        let lines = try await run(Self.path, "processes")
        let wrong = lines.filter { line in
            !line.hasSuffix(": right")
                && !(Self.refused.keys + Self.refusedWhenOptimized).contains { line.hasPrefix("\($0): refused: ") }
        }
        #expect(wrong.isEmpty, "\(wrong)")
        for (name, part) in Self.refused {
            let line = try #require(lines.first { $0.hasPrefix("\(name): ") })
            #expect(line.hasPrefix("\(name): refused: "))
            #expect(line.contains(part), "\(line)")
        }
        // Whatever is left of a type, what is refused for want of the rest names the cure.
        for line in lines where Self.refusedWhenOptimized.contains(where: { line.hasPrefix("\($0): refused: ") }) {
            #expect(line.contains("Portable"), "\(line)")
        }
        if isDebug { #expect(Self.refusedWhenOptimized.allSatisfy { lines.contains("\($0): right") }) }
    }

    private var isDebug: Bool {
        #if DEBUG
        true
        #else
        false
        #endif
    }

    @Test func `Without symbols a use is right or refused, and other work runs`() async throws {
        let copy = "/tmp/toplevel-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(copy) }
        let strip = try Command("/usr/bin/env", arguments: ["env", "strip", "-o", copy, Self.path]).spawn()
        var status: MultiprocessingSystem.ExitStatus?
        try await expectSoon("strip did not end") {
            status = try strip.reap()
            return status != nil
        }
        guard status == .exited(0) else {
            withKnownIssue("there is no strip here") { Issue.record("strip ended with \(String(describing: status))") }
            return
        }
        let lines = try await run(copy, "processes")
        #expect(lines.contains("plain: right"))
        let wrong = lines.filter { !$0.hasSuffix(": right") && !$0.contains(": refused: ") }
        #expect(wrong.isEmpty, "\(wrong)")
        for line in lines where line.hasPrefix("refused ") { #expect(line.contains(": refused: "), "\(line)") }
        #expect(lines.contains { $0.contains("strip --strip-debug") })
    }

    /// Everything that the program says but its last line, without which it did not get that far.
    private func run(_ path: String, _ backend: String) async throws -> [String] {
        let program = try ProbeProcess([backend], path: path)
        let lines = try await program.remainingLines()
        #expect(lines.last == "end")
        return lines.dropLast()
    }
}
