import MultiprocessingSystem

/// Issues that Swift Testing records in this worker.
///
/// Where no test runs, it hands them to a function that another library has installed, as JSON. The
/// function to install one is C, so that it can be found by name.
enum SwiftTestingIssues {
    /// Gets the version of the schema, the bytes of an event and their count.
    private typealias Handler =
        @convention(c) (
            UnsafePointer<CChar>, UnsafeRawPointer, Int, UnsafeRawPointer?
        ) -> Void

    private typealias Install = @convention(c) (Handler) -> CBool

    static func watch() {
        guard let symbol = ThisProcess.symbol("_swift_testing_installFallbackEventHandler") else { return }
        // Safe: the function's type is part of the interface between the testing libraries.
        let install = unsafeBitCast(symbol, to: Install.self)
        // Refused when work has loaded a library that was first, which is then the one to tell.
        _ = install { _, bytes, count, _ in
            let event = UnsafeRawBufferPointer(start: bytes, count: count)
            if let text = SwiftTestingIssues.text(of: event) { RecordedIssues.add(text) }
        }
    }

    /// What an event says, if it is an issue that makes a test fail.
    static func text(of event: UnsafeRawBufferPointer) -> String? {
        guard let record = JSONValue(parsing: event), let payload = record["payload"],
            payload["kind"]?.string == "issueRecorded"
        else { return nil }
        let issue = payload["issue"]
        if issue?["isKnown"]?.bool == true || issue?["isFailure"]?.bool == false { return nil }
        if issue?["severity"]?.string == "warning" { return nil }

        let messages = payload["messages"]?.array ?? []
        let text = messages.compactMap { $0["text"]?.string }.joined(separator: "; ")
        let place = issue?["sourceLocation"]
        guard let file = place?["fileID"]?.string, let line = place?["line"]?.number else { return text }
        return "\(text) (\(file):\(Int(line)))"
    }
}
