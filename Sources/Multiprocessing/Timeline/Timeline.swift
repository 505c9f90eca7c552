import MultiprocessingSystem
import Synchronization

/// A record of what a pool's workers did when, which becomes a picture or a trace; ``Pool/record()`` begins one.
///
/// ```swift
/// let timeline = pool.record()
/// let results = try await pool.map(inputs) { work($0) }
/// timeline.stop()
/// try timeline.write(to: "run.svg")
/// ```
///
/// It takes the pool's events as a reader of its own, and never slows the pool. Its memory is bounded, to some 20 MB: a
/// run with more than 200,000 items and chunks becomes coarser, by taking neighbours that are short together. Events
/// that came faster than they could be read are missing, and the picture says how many.
public final class Timeline: Sendable {
    /// How many events may wait to be taken.
    private static let capacity = 65_536

    private let log: EventLog
    private let events: PoolEvents
    private let state: Mutex<State>

    private struct State {
        var recording = Recording()
        var place: UInt64
        var isStopped = false
        var reader: Task<Void, Never>?
    }

    init(_ log: EventLog) {
        self.log = log
        events = PoolEvents(log, capacity: Self.capacity)
        state = Mutex(State(place: events.start))
        let (time, wallTime) = log.now
        state.withLock { $0.recording.begin(at: time, wallTime: wallTime) }
        let reader = Task { [weak self, log] in
            while let place = self?.take() {
                await log.wait(behind: place, isolation: nil)
                if Task.isCancelled { break }
            }
        }
        state.withLock { $0.reader = reader }
    }

    deinit {
        state.withLock { $0.reader }?.cancel()
    }

    /// Ends the record with what has happened up to now; a record that was stopped stays as it is.
    public func stop() {
        take()
        let reader = state.withLock { state in
            if !state.isStopped {
                state.isStopped = true
                if !state.recording.isOver { state.recording.extend(to: log.now.time) }
            }
            return state.reader.take()
        }
        reader?.cancel()
    }

    /// Takes what has come; returns the place behind it, `nil` if nothing more is to be taken.
    @discardableResult
    private func take() -> UInt64? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            var page: EventLog.Page
            repeat {
                page = log.read(from: &state.place, limit: 1_024)
                if page.missed > 0, let first = page.events.first {
                    state.recording.apply(first.replacing(.missed(Int(clamping: page.missed))))
                }
                for event in page.events { state.recording.apply(event) }
            } while !page.events.isEmpty
            return page.isFinished ? nil : state.place
        }
    }

    /// What is recorded up to now.
    private var recording: Recording {
        take()
        return state.withLock { state in
            var recording = state.recording
            if !state.isStopped, !recording.isOver { recording.extend(to: log.now.time) }
            return recording
        }
    }

    // MARK: Writing

    /// The picture: workers over time, by itself and without scripts, for light and dark surroundings.
    public func svg() -> String {
        TimelinePicture(recording, isInteractive: false).svg
    }

    /// The picture on a page where it can be enlarged and moved with wheel and pointer; it needs nothing else.
    public func html() -> String {
        TimelinePage(recording).html
    }

    /// The record as JSON in Chrome's trace format, which <https://ui.perfetto.dev> opens.
    public func chromeTrace() -> String {
        ChromeTrace(recording).json
    }

    /// Writes the record to a file; the end of its name says as what: `.svg`, `.html` or `.json`.
    ///
    /// It may be written while it still records, and more than once. Blocks the calling thread while it writes.
    ///
    /// - Parameter path: The file, which is replaced if there is one.
    /// - Throws: ``PoolError/Code/invalidArgument`` for another name, and when the file cannot be written.
    public func write(to path: String) throws {
        let name = path.lowercased()
        let text: String
        if name.hasSuffix(".svg") {
            text = svg()
        } else if name.hasSuffix(".html") {
            text = html()
        } else if name.hasSuffix(".json") {
            text = chromeTrace()
        } else {
            throw PoolError(
                .invalidArgument,
                "a timeline cannot be written to \(path): the name has to end in .svg, .html or .json")
        }
        do throws(SystemError) {
            try FileDescriptor.write(Array(text.utf8).span, toFile: path)
        } catch {
            var failure = PoolError(
                .invalidArgument,
                "a timeline cannot be written to \(path), \(error); name a file in a folder that may be written to")
            failure.errno = error.errno.rawValue
            throw failure
        }
    }
}

extension Pool {
    /// Begins to record what the workers do from now on.
    ///
    /// - Returns: The record, which ends with ``Timeline/stop()``, with the pool, or when it is let go of.
    public func record() -> Timeline { Timeline(core.events) }
}
