/// A class whose objects no closure may capture on its way to a process, and that knows what to do instead.
protocol CaptureAdvising: AnyObject {
    /// An instruction that others may follow.
    static var captureAdvice: String { get }
}

/// What to do instead of capturing an object of a type, behind what was said; empty if its type does not know.
func captureAdvice(for type: Any.Type) -> String {
    (type as? any CaptureAdvising.Type).map { "; \($0.captureAdvice)" } ?? ""
}
