import Foundation
import FoundationXML
import Testing

/// What a picture is made of.
final class Drawing: NSObject, XMLParserDelegate {
    private(set) var elements: [String: Int] = [:]
    private(set) var classes: [String: Int] = [:]
    private(set) var titles: [String] = []
    private(set) var links: [String] = []
    /// What the marks say, a line for each thing that is marked.
    private(set) var marks: [String] = []
    /// The classes of each bar, with its title.
    private(set) var bars: [(classes: [String], title: String)] = []
    /// What stands in the picture to be read.
    private(set) var texts: [String] = []

    /// The elements that are open, with their classes.
    private var path: [(name: String, classes: [String])] = []

    init(_ svg: String) throws {
        super.init()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = self
        try #require(parser.parse(), "not well-formed: \(String(describing: parser.parserError))")
    }

    /// How many bars of a class there are.
    func bars(_ name: String) -> Int { bars.count { $0.classes.contains(name) } }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements[name, default: 0] += 1
        let names = (attributes["class"] ?? "").split(separator: " ").map(String.init)
        for each in names { classes[each, default: 0] += 1 }
        links += [attributes["href"], attributes["src"], attributes["xlink:href"]].compactMap { $0 }
        path.append((name, names))
        if name == "title" { titles.append("") }
        if name == "text" { texts.append("") }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        path.removeLast()
        guard name == "title", let title = titles.last, let parent = path.last else { return }
        if parent.classes.contains("mark") { marks += title.split(separator: "\n").map(String.init) }
        if parent.name == "rect" { bars.append((parent.classes, title)) }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        switch path.last?.name {
        case "title": titles[titles.count - 1] += text
        case "text": texts[texts.count - 1] += text
        default: break
        }
    }
}
