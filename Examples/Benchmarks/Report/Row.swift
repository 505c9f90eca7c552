/// One figure of one backend, with what it is compared to.
struct Row {
    /// A floor or a peer.
    struct Rival {
        let name: String
        let value: Spread
    }

    let name: String
    let backend: MeasuredBackend
    let figure: Figure
    let value: Spread
    var floors: [Rival] = []
    var peers: [Rival] = []

    var unit: Unit { figure.unit }

    /// How many times as large as a floor the value is; nil if the floor is zero.
    func ratio(to floor: Rival) -> Double? {
        floor.value.median == 0 ? nil : value.median / floor.value.median
    }

    /// How many times as fast as a peer; above 1 if the peer is slower.
    func speedUp(over peer: Rival) -> Double {
        switch unit.better {
        case .lower: peer.value.median / value.median
        case .higher: value.median / peer.value.median
        }
    }

    var json: JSON {
        let floor = floors.first
        return .object([
            ("name", .string(name)),
            ("detail", figure.detail.map(JSON.string) ?? .null),
            ("backend", .string(backend.rawValue)),
            ("unit", .string(unit.name)),
            ("better", .string(unit.better.rawValue)),
            ("value", .number(value.median)),
            ("spread", .array([.number(value.minimum), .number(value.maximum)])),
            ("rounds", .number(Double(value.count))),
            ("floor_name", floor.map { .string($0.name) } ?? .null),
            ("floor", floor.map { .number($0.value.median) } ?? .null),
            ("ratio_to_floor", floor.flatMap(ratio).map(JSON.number) ?? .null),
            ("floors", .object(floors.map { ($0.name, .number($0.value.median)) })),
            ("peers", .object(peers.map { ($0.name, .number($0.value.median)) })),
            ("speedup_over", .object(peers.map { ($0.name, .number(speedUp(over: $0))) })),
        ])
    }
}
