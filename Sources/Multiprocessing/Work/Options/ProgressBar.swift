package import MultiprocessingSystem
import Synchronization

/// A line on standard error that shows how a call with many items comes along.
///
/// ```swift
/// let bar = ProgressBar("Resizing")
/// let pictures = try await pool.map(paths, options: .progress(bar.update)) {
///     try resize($0)
/// }
/// ```
///
/// It shows how many items have ended, how many end in a second, how long the rest will take, and how many have
/// failed. When the call ends it takes itself away and leaves the line empty. Where standard error is no terminal
/// it shows nothing. It does not know of other output: what a program prints meanwhile stands on the same line.
public final class ProgressBar: Sendable {
    private static let barWidth = 24

    private let label: String
    private let terminal: Terminal?

    /// Whether something stands on the line.
    private let isShown = Mutex(false)

    /// Makes a bar, which shows nothing until it is first told something.
    ///
    /// - Parameter label: What is being done, in a word or two.
    public convenience init(_ label: String = "") {
        self.init(label, on: .standardError)
    }

    package init(_ label: String, on descriptor: DescriptorNumber) {
        self.label = label
        terminal = Terminal(descriptor)
    }

    deinit {
        // Of a call whose end nobody waited for.
        if isShown.withLock({ $0 }) { terminal?.write("\r\u{1B}[K") }
    }

    /// Draws the line anew, or takes it away when the call has ended; for ``WorkOptions/progress-swift.property``.
    @Sendable public func update(_ progress: WorkProgress) {
        guard let terminal else { return }
        isShown.withLock { $0 = !progress.isFinished }
        if progress.isFinished {
            terminal.write("\r\u{1B}[K")
        } else {
            // One less than there is room for: a full line makes some terminals begin another.
            terminal.write("\r\(Self.line(label, progress).prefix(max(terminal.width - 1, 1)))\u{1B}[K")
        }
    }

    /// What the line says.
    package static func line(_ label: String, _ progress: WorkProgress) -> String {
        var parts: [String] = label.isEmpty ? [] : [label]
        if let total = progress.total, total > 0 {
            let share = min(Double(progress.ended) / Double(total), 1)
            let filled = Int(share * Double(barWidth))
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
            parts += ["[\(bar)] \(Int(share * 100)) %", "\(progress.ended)/\(total)"]
        } else {
            parts.append("\(progress.ended)")
        }
        if progress.ended > 0 { parts.append(text(ofRate: progress.rate)) }
        if let remaining = progress.remaining { parts.append("\(text(of: remaining)) left") }
        if progress.failed > 0 { parts.append("\(progress.failed) failed") }
        return parts.joined(separator: "  ")
    }

    /// Two or more digits, which is all that an average is worth.
    private static func text(ofRate rate: Double) -> String {
        let number = rate < 10 ? "\((rate * 10).rounded() / 10)" : "\(UInt64(min(rate, 1e15)))"
        return number + "/s"
    }

    /// Minutes and seconds, and hours if there are some.
    private static func text(of duration: Duration) -> String {
        let seconds = Int(min(duration / .seconds(1), 1e9).rounded(.up))
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
        let pair = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return hours > 0 ? "\(hours):\(pair(minutes)):\(pair(seconds % 60))" : "\(minutes):\(pair(seconds % 60))"
    }
}
