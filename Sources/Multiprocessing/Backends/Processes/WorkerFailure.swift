import MultiprocessingSystem

/// How a worker came to its end, as its parent saw it.
struct WorkerFailure: Sendable {
    let processID: Int32
    let status: ExitStatus?
    let standardError: String
    /// What was wrong with what it sent, if that was why it was ended.
    let protocolError: String?
    /// Why it could not be ended, if it was left behind.
    let killError: SystemError?
    /// The limit that it passed, if that was why it ended.
    let passedLimit: PassedLimit?

    /// Whether a person, the system or another program ended the worker, and not the worker itself.
    var wasKilledFromOutside: Bool {
        protocolError == nil && passedLimit == nil && (status == .signaled(.kill) || status == .signaled(.terminate))
    }
}
