/// Work for the processor alone, as much as one asks for, with a result that depends on all of it.
struct Toil: Codable, Equatable {
    let seed: UInt64
    let rounds: Int

    @inline(never)
    func result() -> UInt64 {
        var value = seed
        for _ in 0..<rounds {
            value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            value ^= value >> 29
        }
        return value
    }
}
