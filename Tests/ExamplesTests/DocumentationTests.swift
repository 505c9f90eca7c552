import Testing

/// The documentation shows code that compiles.
@Suite("The documentation's Swift code")
struct DocumentationTests {
    @Test("of README.md is compiled with this test")
    func readmeIsCompiled() throws {
        try expectCompiled("README.md", in: ["\(Self.snippets)/ReadmeSnippets.swift"])
    }

    @Test("of the articles is compiled with this test", arguments: try Repository.files(in: Self.catalog))
    func articlesAreCompiled(article: String) throws {
        // What the tour's page shows are pieces of the tour's programs.
        let sources =
            article == "Tour.md"
            ? try Repository.allFiles(below: "Examples/Tour", suffix: ".swift").map { "Examples/Tour/\($0)" }
            : ["\(Self.snippets)/ArticleSnippets.swift"]
        try expectCompiled("\(Self.catalog)/\(article)", in: sources)
    }

    private static let catalog = "Sources/Multiprocessing/Multiprocessing.docc"
    private static let snippets = "Tests/ExamplesTests/Snippets"

    /// Checks that each piece of Swift in a document is word for word in a file that is compiled.
    private func expectCompiled(_ document: String, in sources: [String]) throws {
        let compiled = try words(of: sources.map { try Repository.read($0) }.joined(separator: "\n"))
        for snippet in try snippets(in: Repository.read(document)) {
            // Code for other packages, of which this one has none, is compiled where those are.
            if snippet.hasPrefix("import ") { continue }
            #expect(
                compiled.contains(words(of: snippet)),
                "\(document) shows code that \(sources.joined(separator: " or ")) does not have:\n\(snippet)")
        }
    }

    @Test("begins with the two commands")
    func readmeNamesTheCommands() throws {
        let readme = try Repository.read("README.md")
        #expect(readme.contains("\nswift run -c release quickstart\nswift test\n"))
    }

    /// The code blocks that are marked as Swift, without the import that each file has once.
    private func snippets(in document: String) -> [String] {
        var snippets: [String] = []
        var open: [Substring]?
        for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
            switch (line, open) {
            case ("```swift", nil):
                open = []
            case ("```", let lines?):
                snippets.append(lines.joined(separator: "\n"))
                open = nil
            case (_, .some):
                if line != "import Multiprocessing" { open?.append(line) }
            case (_, nil):
                break
            }
        }
        return snippets
    }

    /// The text with one space for each run of spaces and line breaks.
    private func words(of text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
