/// A command line that makes no sense.
struct Misuse: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
