import MultiprocessingSystem
import Synchronization

/// Has a template ready for the replacements of a pool's workers, once it has turned out that they are needed.
///
/// There is none before a worker was replaced: a pool whose workers never end pays nothing for it. Then one is started
/// a moment later, so that it does not take a core from the replacement. When it is gone, or what workers would
/// inherit is not what it has, the next worker is started without it and another template is made.
final class TemplateKeeper: Sendable {
    private enum State {
        case absent
        case starting(WorkerTemplate)
        case ready(WorkerTemplate)
        /// In use by the one caller that there is.
        case lent
        case closed
    }

    private struct Record {
        var state = State.absent
        /// How many templates have come to nothing since a worker was last made by one.
        var failures = 0
    }

    private let command: Command
    private let folder: Folder?
    private let record = Mutex(Record())

    /// After so many failures in a row there is something about this system that will not change.
    private static let failureLimit = 3

    init(command: Command, folder: Folder?) {
        self.command = command
        self.folder = folder
    }

    /// Whether ``prepare()`` would do something.
    var isWanting: Bool {
        record.withLock { record in
            if case .absent = record.state { record.failures < Self.failureLimit } else { false }
        }
    }

    /// Starts a template, if there is none.
    func prepare() {
        guard isWanting else { return }
        // Made outside the lock; two at a time would not be wrong, only one too many.
        let made = try? WorkerTemplate(of: command, in: folder)
        let surplus = record.withLock { record -> WorkerTemplate? in
            guard case .absent = record.state else { return made }
            guard let made else {
                record.failures += 1
                return nil
            }
            record.state = .starting(made)
            return nil
        }
        surplus?.end()
    }

    /// Has the template make a worker; `nil` if it cannot, and the worker is to be started in the other way.
    func spawn(
        _ command: Command, in folder: Folder?, standardOutput: DescriptorNumber?, standardError: DescriptorNumber,
        passing: [DescriptorNumber]
    ) throws(SystemError) -> ProcessHandle? {
        guard let template = take() else { return nil }
        var isGood = false
        defer { giveBack(template, isGood: isGood) }
        switch try template.spawn(
            command, in: folder, standardOutput: standardOutput, standardError: standardError, passing: passing)
        {
        case .made(let process):
            isGood = true
            return process
        case .declined:
            isGood = true
            return nil
        case .ended:
            return nil
        }
    }

    /// Ends the template, and blocks until it is gone; there is none from then on.
    func close() {
        let last = record.withLock { record -> WorkerTemplate? in
            defer { record.state = .closed }
            switch record.state {
            case .starting(let template), .ready(let template): return template
            case .absent, .lent, .closed: return nil
            }
        }
        last?.end()
    }

    /// The template, if it is ready; only for the caller until it is given back.
    private func take() -> WorkerTemplate? {
        let (taken, lost) = record.withLock { record -> (WorkerTemplate?, WorkerTemplate?) in
            switch record.state {
            case .ready(let template):
                record.state = .lent
                return (template, nil)
            case .starting(let template):
                switch template.isReady() {
                case true?:
                    record.state = .lent
                    return (template, nil)
                case false?:
                    return (nil, nil)
                case nil:
                    record.failures += 1
                    record.state = .absent
                    return (nil, template)
                }
            case .absent, .lent, .closed:
                return (nil, nil)
            }
        }
        lost?.end()
        return taken
    }

    private func giveBack(_ template: WorkerTemplate, isGood: Bool) {
        let isKept = record.withLock { record in
            guard case .lent = record.state else { return false }
            record.state = isGood ? .ready(template) : .absent
            record.failures = isGood ? 0 : record.failures + 1
            return isGood
        }
        if !isKept { template.end() }
    }
}
