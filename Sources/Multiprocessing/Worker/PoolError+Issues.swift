extension PoolError {
    /// The error of an item that was running when a testing library recorded issues in its worker; made there.
    static func issueRecorded(_ texts: [String], in process: Int32) -> PoolError {
        let text = texts.joined(separator: "; ")
        var made = PoolError(
            .issueRecorded,
            """
            an expectation failed in worker process \(process), which no test can see, so the item fails: \(text); \
            return what the test has to check, and expect it where the result is
            """)
        made.processID = process
        made.errorDescription = text
        return made
    }
}
