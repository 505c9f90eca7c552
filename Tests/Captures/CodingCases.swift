import Multiprocessing

/// Codings that lose something, or that fail: what a closure captures is none of their business.
struct Lossy: Codable, Sendable {
    var n: Int
    var cache: Int

    init(n: Int, cache: Int) {
        self.n = n
        self.cache = cache
    }

    init(from decoder: any Decoder) throws {
        n = try decoder.singleValueContainer().decode(Int.self)
        cache = 0
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(n)
    }
}

struct Failing: Codable, Sendable {
    var list: [Int]

    init(list: [Int]) { self.list = list }

    init(from decoder: any Decoder) throws { throw Unwilling() }

    func encode(to encoder: any Encoder) throws { throw Unwilling() }
}

struct Unwilling: Error {}

struct OneArray: Sendable { var list: [Int] }

struct OneArrayOfStructures: Sendable { var list: [InArray] }

struct InArray: Sendable { var n: Int, text: String }

/// Goes by its coding, because it says so.
struct Doubling: Portable {
    var n: Int

    init(n: Int) { self.n = n }

    init(from decoder: any Decoder) throws { n = try decoder.singleValueContainer().decode(Int.self) * 2 }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(n)
    }
}

struct OfDoubling: Sendable { var a: Int, doubling: Doubling, list: [Doubling] }

/// A structure that contains itself.
struct Folder: Codable, Sendable {
    var n: Int
    var folders: [Folder]

    var sum: Int { folders.reduce(n) { $0 + $1.sum } }
}

func codingCases() -> [Case] {
    let number = one
    let lossy = Lossy(n: one, cache: one * 7)
    let failing = Failing(list: [one, 2])
    let oneArray = OneArray(list: [one, 2])
    let ofStructures = OneArrayOfStructures(list: [InArray(n: one, text: "abc")])
    let folder = Folder(
        n: one, folders: [Folder(n: 2, folders: []), Folder(n: 3, folders: [Folder(n: 4, folders: [])])])
    return [
        Case("a lossy coding", 18) { $0 + lossy.n + lossy.cache },
        Case("a lossy coding beside a number", 19) { $0 + lossy.n + lossy.cache + number },
        Case("a failing coding", 13) { $0 + failing.list[0] + failing.list[1] },
        Case("a failing coding beside a number", 14) { $0 + failing.list[0] + failing.list[1] + number },
        Case("one array", 13) { $0 + oneArray.list[0] + oneArray.list[1] },
        Case("one array beside a number", 14) { $0 + oneArray.list[0] + oneArray.list[1] + number },
        Case("one array of structures", 14) { $0 + ofStructures.list[0].n + ofStructures.list[0].text.utf8.count },
        Case("one array of structures beside a number", 15) {
            $0 + ofStructures.list[0].n + ofStructures.list[0].text.utf8.count + number
        },
        Case("a structure that contains itself", 20) { $0 + folder.sum },
        Case("that beside a number", 21) { $0 + folder.sum + number },
    ]
}
