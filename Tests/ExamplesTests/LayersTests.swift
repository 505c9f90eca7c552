import Testing

/// References between the parts of the sources go one way.
@Suite("The sources' layers")
struct LayersTests {
    /// The folders of the library's own target, each above those that it may refer to.
    private static let rooms = [
        "Errors", "Values", "Work", "Channel", "Worker", "Backends", "Scheduling", "Future", "Calls", "Pool",
    ]

    /// Which of the package's targets each target may import.
    private static let imports: [String: Set<String>] = [
        "MultiprocessingSystem": ["CMultiprocessing"],
        "MultiprocessingCoding": ["CMultiprocessing"],
        "MultiprocessingRuntime": ["CMultiprocessing"],
        "Multiprocessing": [
            "CMultiprocessing", "MultiprocessingSystem", "MultiprocessingCoding", "MultiprocessingRuntime",
        ],
    ]

    @Test("The library's folders are those of the list")
    func roomsAreListed() throws {
        let folders = Set(try sources(of: "Multiprocessing").compactMap(\.room))
        #expect(folders == Set(Self.rooms), "a folder's place in the order has to be said here")
    }

    @Test("No folder refers to one above it")
    func roomsReferDownwards() throws {
        for arrow in upwardArrows(in: try sources(of: "Multiprocessing")) { Issue.record("\(arrow)") }
    }

    @Test("An arrow upwards is found, with both names")
    func upwardArrowIsFound() {
        let low = Source(path: "Values/Low.swift", text: "struct Low {\n    // High\n    let high: High? = nil\n}\n")
        let high = Source(path: "Pool/High.swift", text: "struct High {\n    let low: Low\n}\n")
        let arrows = upwardArrows(in: [low, high])
        #expect(arrows == ["Values/Low.swift refers to High of Pool/High.swift, and Values stands below Pool"])
    }

    @Test("A target imports only what stands below it", arguments: imports.keys.sorted())
    func targetsImportDownwards(target: String) throws {
        for source in try sources(of: target) {
            for module in source.imports {
                let isOurs = module.contains("Multiprocessing")
                #expect(
                    !isOurs || Self.imports[target]?.contains(module) == true,
                    "\(target)/\(source.path) imports \(module)")
                #expect(
                    module != "Foundation" && (module != "Glibc" || target == "MultiprocessingSystem"),
                    "\(target)/\(source.path) imports \(module); calls of the system are MultiprocessingSystem's")
            }
        }
    }

    // MARK: Reading sources

    private func upwardArrows(in sources: [Source]) -> [String] {
        var homes: [String: [Source]] = [:]
        for source in sources {
            for name in source.declarations { homes[name, default: []].append(source) }
        }
        var arrows: [String] = []
        for source in sources {
            guard let height = source.height else { continue }
            for name in source.words.sorted() {
                // A name that two files declare is not told apart by its spelling.
                guard let home = homes[name], home.count == 1, let other = home[0].height, other > height else { continue }
                arrows.append(
                    "\(source.path) refers to \(name) of \(home[0].path), and \(Self.rooms[height]) stands below "
                        + Self.rooms[other])
            }
        }
        return arrows
    }

    private func sources(of target: String) throws -> [Source] {
        try Repository.allFiles(below: "Sources/\(target)", suffix: ".swift").map { path in
            Source(path: path, text: try Repository.read("Sources/\(target)/\(path)"))
        }
    }

    /// A source file, by what its text says.
    private struct Source {
        /// From the target's folder.
        let path: String
        let words: Set<String>
        let declarations: Set<String>
        let imports: [String]

        init(path: String, text: String) {
            self.path = path
            let lines = Self.code(of: text).split(separator: "\n", omittingEmptySubsequences: true)
            words = Set(lines.flatMap { Self.words(of: $0) })
            imports = lines.compactMap { line in
                let words = Self.words(of: line)
                return words.contains("import") ? words.last : nil
            }
            declarations = Set(lines.compactMap { Self.declaration(in: $0) })
        }

        var room: String? {
            let parts = path.split(separator: "/")
            return parts.count > 1 ? String(parts[0]) : nil
        }

        var height: Int? { room.flatMap { LayersTests.rooms.firstIndex(of: $0) } }

        /// The name that a line at the margin declares, unless only its file sees it.
        private static func declaration(in line: Substring) -> String? {
            guard let first = line.first, first != " " else { return nil }
            let kinds: Set = ["struct", "class", "enum", "actor", "protocol", "typealias", "func", "let", "var"]
            let words = Self.words(of: line)
            guard let kind = words.firstIndex(where: { kinds.contains($0) }), kind + 1 < words.count,
                !words[..<kind].contains(where: { ["private", "fileprivate", "extension", "import"].contains($0) })
            else { return nil }
            return words[kind + 1]
        }

        private static func words(of line: Substring) -> [String] {
            line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
        }

        /// The text without comments and without what stands between quotes.
        private static func code(of text: String) -> String {
            var code = ""
            var isQuoted = false
            var isBlock = false
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.contains("\"\"\"") {
                    isBlock.toggle()
                    continue
                }
                if isBlock { continue }
                isQuoted = false
                var last: Character = " "
                for character in line {
                    if character == "\"", last != "\\" { isQuoted.toggle() }
                    if !isQuoted {
                        if character == "/", last == "/" { break }
                        code.append(character)
                    }
                    last = character
                }
                code.append("\n")
            }
            return code
        }
    }
}
