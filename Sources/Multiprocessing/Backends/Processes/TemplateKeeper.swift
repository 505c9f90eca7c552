import MultiprocessingSystem
import Synchronization

/// Keeps what makes the replacements of a pool's workers quick, once it has turned out that they are needed: a template,
/// which forks them, and a spare worker that it has forked ahead.
///
/// There is none before a worker was replaced: a pool whose workers never end pays nothing for it. Then they are made a
/// moment later, so that they take no core from the replacement. When they are gone, or what a worker would inherit is
/// not what they have, the next worker is started without them, and they are made anew.
final class TemplateKeeper: Sendable {
    private enum State {
        case absent
        /// How often it was looked at while it was not ready.
        case starting(WorkerTemplate, looks: Int)
        case ready(WorkerTemplate, SpareWorker?)
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

    /// How long after a replacement a template is made, which takes a core for some milliseconds.
    private static let templatePause = Duration.milliseconds(20)

    /// How long it is given, some milliseconds at a time, to become ready.
    private static let lookPause = Duration.milliseconds(10)
    private static let lookLimit = 500

    /// How long after a replacement the next spare worker is made: it is there in less time than the next is needed.
    private static let sparePause = Duration.microseconds(200)

    init(command: Command, folder: Folder?) {
        self.command = command
        self.folder = folder
    }

    /// How long from now ``prepare()`` is to be called; `nil` if it need not be.
    var pause: Duration? {
        record.withLock { record in
            switch record.state {
            case .absent: record.failures < Self.failureLimit ? Self.templatePause : nil
            case .starting: Self.lookPause
            case .ready(_, nil): Self.sparePause
            case .ready, .lent, .closed: nil
            }
        }
    }

    /// Makes what is missing; returns how long from now it is to be called again, if it is.
    func prepare() -> Duration? {
        guard pause != nil else { return nil }
        if let (template, spare) = take() {
            let made = spare == nil ? (try? template.makeSpare(of: command, in: folder)) ?? nil : spare
            giveBack(template, made, isGood: made != nil)
            return made == nil ? pause : nil
        }
        guard case .absent = record.withLock({ $0.state }) else { return pause }
        // Made outside the lock; another caller at the same time would make one too many, which is ended again.
        let made = try? WorkerTemplate(of: command, in: folder)
        let surplus = record.withLock { record -> WorkerTemplate? in
            guard case .absent = record.state else { return made }
            if let made { record.state = .starting(made, looks: 0) } else { record.failures += 1 }
            return nil
        }
        surplus?.end()
        return pause
    }

    /// Has a worker made in the quickest way there is; `nil` if it is to be started by itself.
    func spawn(
        _ command: Command, in folder: Folder?, standardOutput: DescriptorNumber?, standardError: DescriptorNumber,
        passing: [DescriptorNumber]
    ) throws(SystemError) -> ProcessHandle? {
        guard let (template, spare) = take() else { return nil }
        if let spare {
            let isUsed =
                template.isLikeThis
                && spare.become(
                    command, in: folder, standardOutput: standardOutput, standardError: standardError, passing: passing)
            if isUsed {
                giveBack(template, nil, isGood: true)
                return spare.process
            }
            spare.end()
        }
        var isGood = false
        defer { giveBack(template, nil, isGood: isGood) }
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

    /// Ends them, and blocks until they are gone; there are none from then on.
    func close() {
        let (template, spare) = record.withLock { record -> (WorkerTemplate?, SpareWorker?) in
            defer { record.state = .closed }
            switch record.state {
            case .starting(let template, _): return (template, nil)
            case .ready(let template, let spare): return (template, spare)
            case .absent, .lent, .closed: return (nil, nil)
            }
        }
        spare?.end()
        template?.end()
    }

    /// The template, if it is ready, and the spare worker; only for the caller until they are given back.
    private func take() -> (WorkerTemplate, SpareWorker?)? {
        let (taken, lost) = record.withLock { record -> ((WorkerTemplate, SpareWorker?)?, WorkerTemplate?) in
            switch record.state {
            case .ready(let template, let spare):
                record.state = .lent
                return ((template, spare), nil)
            case .starting(let template, let looks):
                switch template.isReady() {
                case true?:
                    record.state = .lent
                    return ((template, nil), nil)
                case false? where looks < Self.lookLimit:
                    record.state = .starting(template, looks: looks + 1)
                    return (nil, nil)
                case false?, nil:
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

    private func giveBack(_ template: WorkerTemplate, _ spare: SpareWorker?, isGood: Bool) {
        let isKept = record.withLock { record in
            guard case .lent = record.state else { return false }
            record.state = isGood ? .ready(template, spare) : .absent
            record.failures = isGood ? 0 : record.failures + 1
            return isGood
        }
        guard !isKept else { return }
        spare?.end()
        template.end()
    }
}
