import Testing

/// The page about the tour shows every program of it, and counts lines right.
@Suite("The tour's page")
struct TourPageTests {
    private struct Section {
        let program: String
        let claimed: (python: Int, swift: Int)
        var counted = (python: 0, swift: 0)
    }

    @Test("shows each program once")
    func isComplete() async throws {
        let list = try await Shell.run("$BIN/tour --list").output.split(separator: "\n")
        let names = list.map { "\($0.prefix { $0 != ":" }.drop { $0 != "/" }.dropFirst())" }
        #expect(try Self.sections().map(\.program) == names)
    }

    @Test("counts the lines of each program, and of all")
    func countsLines() throws {
        let sections = try Self.sections()
        for section in sections {
            #expect(section.claimed == section.counted, "\(section.program)")
            #expect(section.counted.python > 0 && section.counted.swift > 0, "\(section.program)")
        }
        let (python, swift) = sections.reduce(into: (0, 0)) { sums, section in
            sums.0 += section.counted.python
            sums.1 += section.counted.swift
        }
        let page = try Self.page().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(page.contains(" \(python) of Python and \(swift) of Swift in \(sections.count) programs."))
    }

    private static func page() throws -> String {
        try Repository.read("Sources/Multiprocessing/Multiprocessing.docc/Tour.md")
    }

    /// What the page says of each program, and what it shows.
    private static func sections() throws -> [Section] {
        let claim = /`tour ([a-z-]+)`; (\d+) lines of Python, (\d+) of Swift\./
        var sections: [Section] = []
        var language: String?
        for line in try page().split(separator: "\n") {
            if let match = line.firstMatch(of: claim) {
                sections.append(Section(program: "\(match.1)", claimed: (Int(match.2) ?? 0, Int(match.3) ?? 0)))
            } else if line.hasPrefix("```") {
                language = language == nil ? String(line.dropFirst(3)) : nil
            } else if !sections.isEmpty, !line.allSatisfy(\.isWhitespace) {
                let text = line.drop(while: \.isWhitespace)
                if language == "python", !text.hasPrefix("#") { sections[sections.count - 1].counted.python += 1 }
                if language == "swift", !text.hasPrefix("//") { sections[sections.count - 1].counted.swift += 1 }
            }
        }
        return sections
    }
}
