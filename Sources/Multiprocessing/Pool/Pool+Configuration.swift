extension Pool {
    /// How a pool works, beyond where its workers run and how many they are.
    public struct Configuration: Sendable {
        /// Task-locals whose values go with the work to worker processes.
        ///
        /// Work on threads sees all of its caller's task-local values anyway; work in worker processes sees
        /// those of these that its caller had when it made the call.
        public var carriedTaskLocals: [CarriedTaskLocal] = []

        /// Makes the configuration that a pool has if it is given none.
        public init() {}
    }
}
