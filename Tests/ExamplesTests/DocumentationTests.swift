import Testing

/// The documentation shows code that compiles.
@Suite("The documentation's Swift code")
struct DocumentationTests {
    @Test("of README.md is compiled with this test")
    func readmeIsCompiled() throws {
        try expectCompiled("README.md", in: "ReadmeSnippets.swift")
    }

    @Test("of the articles is compiled with this test", arguments: try Repository.files(in: Self.catalog))
    func articlesAreCompiled(article: String) throws {
        try expectCompiled("\(Self.catalog)/\(article)", in: "ArticleSnippets.swift")
    }

    private static let catalog = "Sources/Multiprocessing/Multiprocessing.docc"

    /// Checks that each piece of Swift in a document is word for word in a file of this target.
    private func expectCompiled(_ document: String, in source: String) throws {
        let compiled = try words(of: Repository.read("Tests/ExamplesTests/Snippets/\(source)"))
        for snippet in try snippets(in: Repository.read(document)) {
            // Code for other packages, of which this one has none, is compiled where those are.
            if snippet.hasPrefix("import ") { continue }
            #expect(
                compiled.contains(words(of: snippet)),
                "\(document) shows code that \(source) does not have:\n\(snippet)")
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
