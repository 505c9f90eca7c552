/// A contestant with what its rounds gave.
struct Samples {
    let contestant: Contestant

    /// For each figure the values of the rounds.
    private(set) var values: [[Double]]

    /// How many seconds its rounds took.
    private(set) var spent = 0.0

    init(contestant: Contestant, figureCount: Int) {
        self.contestant = contestant
        values = Array(repeating: [], count: figureCount)
    }

    mutating func run() async throws {
        let watch = Stopwatch()
        for (figure, value) in try await contestant.run().enumerated() {
            if let value { values[figure].append(value) }
        }
        spent += watch.seconds
    }

    /// What the rounds gave for a figure, in its unit.
    func spread(_ figure: Int, _ unit: Unit) -> Spread? {
        values[figure].isEmpty ? nil : Spread(values[figure].map { $0 * unit.scale })
    }
}
