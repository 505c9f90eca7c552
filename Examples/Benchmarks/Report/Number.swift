/// Numbers as people read them.
enum Number {
    /// Three significant digits, and no fraction from 100 on.
    static func short(_ number: Double) -> String {
        let size = abs(number)
        let digits = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
        return fixed(number, digits)
    }

    /// A number with so many digits behind the point.
    static func fixed(_ number: Double, _ digits: Int) -> String {
        let factor = (0..<digits).reduce(1.0) { product, _ in product * 10 }
        // Beyond this a double has no fraction, and an Int might not hold it.
        guard abs(number * factor) < 1e15 else { return "\(number)" }
        let scaled = Int((abs(number) * factor).rounded())
        let sign = number < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let text = String(scaled)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }
}
