/// What a program might send: numbers, texts, lists, a nested value and one that may be missing.
struct Record: Codable, Equatable {
    struct Place: Codable, Equatable {
        var x: Double
        var y: Double
        var label: String
    }

    var id: Int
    var name: String
    var score: Double
    var isActive: Bool
    var weights: [Double]
    var counts: [Int]
    var tags: [String]
    var place: Place
    var parent: Int?

    /// The same as in the peers' script.
    init(_ number: Int) {
        id = number
        name = "record \(number)"
        score = Double(number) * 0.5
        isActive = number % 2 == 0
        weights = (0..<4).map { Double(number) + Double($0) * 0.25 }
        counts = Array(number..<number + 8)
        tags = ["alpha", "beta \(number % 10)"]
        place = Place(x: Double(number) * 0.001, y: Double(number) * -0.001, label: "north")
        parent = number % 3 == 0 ? nil : number - 1
    }

    var changed: Record {
        var record = self
        record.id += 1
        record.score *= 2
        record.tags.append("done")
        record.parent = id
        return record
    }
}
