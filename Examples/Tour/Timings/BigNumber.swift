/// A whole number of any size, exactly: what factorials need.
struct BigNumber: Codable, Hashable, Sendable {
    private static let base: UInt64 = 1_000_000_000

    /// Nine decimal digits each, the lowest first; the last is not zero, and zero has none.
    private var parts: [UInt32] = []

    init(_ number: UInt32) {
        var rest = UInt64(number)
        while rest > 0 {
            parts.append(UInt32(rest % Self.base))
            rest /= Self.base
        }
    }

    static func *= (number: inout BigNumber, factor: UInt32) {
        guard factor > 0 else { return number.parts = [] }
        var carry: UInt64 = 0
        for index in number.parts.indices {
            carry += UInt64(number.parts[index]) * UInt64(factor)
            number.parts[index] = UInt32(carry % base)
            carry /= base
        }
        while carry > 0 {
            number.parts.append(UInt32(carry % base))
            carry /= base
        }
    }

    static func % (number: BigNumber, divisor: UInt32) -> UInt32 {
        UInt32(
            number.parts.reversed().reduce(0 as UInt64) { rest, part in (rest * base + UInt64(part)) % UInt64(divisor) }
        )
    }

    static func factorial(_ number: Int) -> BigNumber {
        var product = BigNumber(1)
        for factor in stride(from: 2, through: UInt32(number), by: 1) { product *= factor }
        return product
    }
}

extension BigNumber: CustomStringConvertible {
    var description: String {
        guard let first = parts.last else { return "0" }
        return parts.dropLast().reversed().reduce(into: "\(first)") { text, part in
            let digits = "\(part)"
            text += String(repeating: "0", count: 9 - digits.count) + digits
        }
    }
}
