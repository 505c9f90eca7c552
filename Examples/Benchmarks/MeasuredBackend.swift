import Multiprocessing

/// Where work runs: the backend that is measured, or what a peer is comparable to.
enum MeasuredBackend: String, CaseIterable {
    case processes
    case threads

    func pool(workers: Int = 2, configuration: Pool.Configuration = Pool.Configuration()) throws -> Pool {
        switch self {
        case .processes: try Pool(.processes, workers: workers, configuration: configuration)
        case .threads: try Pool(.threads, workers: workers, configuration: configuration)
        }
    }

    /// How many cores this process may use, as the library counts them.
    static var usableCores: Int {
        get throws { try Pool(.threads).workerCount }
    }
}
