extension EventLoop {
    /// A timer that has been scheduled; losing it cancels nothing.
    package struct Timer: Sendable {
        let core: Core
        let id: UInt64

        /// Cancels the timer; does nothing if it has fired.
        ///
        /// Called on the loop, the body is not called once this has returned. From another
        /// thread it may be running already.
        package func cancel() {
            core.cancelTimer(id)
        }
    }
}
