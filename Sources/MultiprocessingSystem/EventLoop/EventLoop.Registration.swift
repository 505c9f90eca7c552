extension EventLoop {
    /// A descriptor that a loop watches, until ``deregister()``.
    package struct Registration: Sendable {
        let core: Core
        let token: UInt64

        /// Watches for something else from now on; with an empty interest for nothing at all.
        ///
        /// Does nothing once the registration has ended.
        package func setInterest(_ interest: Interest) throws(SystemError) {
            try core.setInterest(interest, token: token)
        }

        /// Ends the registration; may be called again.
        ///
        /// Called on the loop, the handler is not called again once this has returned. From
        /// another thread a call that is already running may go on beyond it: close the
        /// descriptor on the loop.
        package func deregister() {
            core.deregister(token)
        }
    }
}
