import Testing

/// References between the parts of the sources go one way.
@Suite("The sources' layers")
struct LayersTests {
    /// The folders of the library's own target, each above those that it may refer to.
    fileprivate static let rooms = [
        "Collections", "Errors", "Values", "Captures", "Sharing", "Work", "Channel", "Actors", "Worker", "Backends",
        "Events",
        "Scheduling", "Future", "Calls", "Pool", "Children", "Managers", "Timeline",
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

    @Test("A module is found of which one declaration is imported")
    func importOfDeclarationIsFound() {
        let text = "package import struct Glibc.iovec\n@preconcurrency import Dispatch\n"
        let source = Source(path: "A.swift", text: text)
        #expect(source.imports == ["Glibc", "Dispatch"])
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
                    module != "Glibc" || target == "MultiprocessingSystem",
                    "\(target)/\(source.path): only MultiprocessingSystem imports Glibc")
                #expect(module != "Foundation", "\(target)/\(source.path): every worker would pay for it at its start")
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
                guard let home = homes[name], home.count == 1, let other = home[0].height, other > height else {
                    continue
                }
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
}

/// A source file, by what its text says.
private struct Source {
    /// From the target's folder.
    let path: String
    private(set) var words: Set<String> = []
    private(set) var declarations: Set<String> = []
    private(set) var imports: [String] = []

    private static let kinds: Set = [
        "struct", "class", "enum", "actor", "protocol", "typealias", "func", "let", "var",
    ]

    init(path: String, text: String) {
        self.path = path
        var isBlock = false
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let quotes = line.count { $0 == UInt8(ascii: "\"") }
            if quotes == 3, String(Substring(line)).contains("\"\"\"") {
                isBlock.toggle()
            } else if !isBlock {
                read(line, isQuoting: quotes > 0)
            }
        }
    }

    var room: String? {
        let parts = path.split(separator: "/")
        return parts.count > 1 ? String(parts[0]) : nil
    }

    var height: Int? { room.flatMap { LayersTests.rooms.firstIndex(of: $0) } }

    /// Takes a line's words, without comments and without what stands between quotes.
    private mutating func read(_ line: Substring.UTF8View, isQuoting: Bool) {
        var found: [String] = []
        var start: Substring.UTF8View.Index?
        var isQuoted = false
        var last: UInt8 = 0
        var index = line.startIndex
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
        while index < line.endIndex {
            let byte = line[index]
            if byte == UInt8(ascii: "/"), last == byte, !isQuoted { break }
            if byte == UInt8(ascii: "\""), last != UInt8(ascii: "\\") { isQuoted.toggle() }
            if isWord(byte), !isQuoted {
                if start == nil { start = index }
            } else if let first = start {
                found.append(String(Substring(line[first..<index])))
                start = nil
            }
            last = byte
            index = line.index(after: index)
        }
        if let first = start { found.append(String(Substring(line[first..<index]))) }
        note(found, isAtMargin: line.first.map { $0 != UInt8(ascii: " ") } ?? false)
    }

    private mutating func note(_ found: [String], isAtMargin: Bool) {
        if let position = found.firstIndex(of: "import") {
            // A declaration may be imported alone: `import struct Module.Name`.
            let module = found[(position + 1)...].first { !Self.kinds.contains($0) }
            if let module { imports.append(module) }
            return
        }
        words.formUnion(found)
        // What only its file sees, and extensions, declare nothing for others.
        guard isAtMargin, let kind = found.firstIndex(where: Self.kinds.contains), kind + 1 < found.count,
            !found[..<kind].contains(where: ["private", "fileprivate", "extension"].contains)
        else { return }
        declarations.insert(found[kind + 1])
    }
}
