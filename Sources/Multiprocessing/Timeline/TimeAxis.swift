/// Where a time axis has its ticks, and what stands at them.
struct TimeAxis {
    /// What the axis shows, in nanoseconds.
    let length: Int64
    let step: Int64

    /// - Parameter count: About how many ticks there may be.
    init(length: Int64, count: Int) {
        self.length = max(1, length)
        step = Self.step(atLeast: self.length / Int64(max(1, count)))
    }

    private static func step(atLeast least: Int64) -> Int64 {
        let minute: Int64 = 60_000_000_000
        for step in [1, 2, 5, 10, 15, 30, 60, 120, 300, 720, 1_440] where least >= 20_000_000_000 {
            if Int64(step) * minute >= least { return Int64(step) * minute }
            if step == 1, least <= 30_000_000_000 { return 30_000_000_000 }
        }
        var power: Int64 = 1
        while power < Int64.max / 10 {
            for factor in [1, 2, 5] as [Int64] where factor * power >= least { return factor * power }
            power *= 10
        }
        return power
    }

    /// The ticks, from zero on.
    var ticks: [Int64] { Array(stride(from: 0, through: length, by: Int64.Stride(step))) }

    /// What stands at a tick: with the step's own unit.
    func text(_ time: Int64) -> String {
        guard time != 0 else { return "0" }
        if step >= 30_000_000_000 {
            let seconds = time / 1_000_000_000
            let rest = seconds % 60
            if seconds >= 3_600 {
                return "\(seconds / 3_600):\(pair(seconds / 60 % 60)):\(pair(rest))"
            }
            return "\(seconds / 60):\(pair(rest)) min"
        }
        let (unit, name): (Double, String) =
            if step >= 100_000_000 {
                (1e9, "s")
            } else if step >= 100_000 {
                (1e6, "ms")
            } else if step >= 100 {
                (1e3, "µs")
            } else {
                (1, "ns")
            }
        return "\(Markup.number(Double(time) / unit, decimals: 3)) \(name)"
    }

    private func pair(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
