/// What work on a thread has of the task that asked for it: priority and task-local values.
struct CallerContext: Sendable {
    /// The priority's number: of its type nothing is known before run time, which would hold for all that has this.
    private let rawPriority: UInt8

    var priority: TaskPriority { TaskPriority(rawValue: rawPriority) }

    /// The caller's task-local values; `nil` when there are none.
    let locals: CallerLocals?

    init(priority: TaskPriority, locals: CallerLocals?) {
        rawPriority = priority.rawValue
        self.locals = locals
    }

    /// That of work that sees nothing of its caller's task, because it runs in another process.
    static let none = CallerContext(priority: .medium, locals: nil)

    /// The context of the calling task.
    ///
    /// Cheap for a caller without task-local values, which is looked up in a word of its task.
    ///
    /// - Parameter isForOne: Whether a single chunk will be run in it.
    static func current(isForOne: Bool) -> CallerContext {
        let priority = Task.currentPriority
        let isPlain = withUnsafeCurrentTask { $0.map(TaskLocalStorage.isEmpty) ?? false }
        return CallerContext(
            priority: priority, locals: isPlain ? nil : CallerLocals(priority: priority, isForOne: isForOne))
    }
}
