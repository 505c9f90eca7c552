import Multiprocessing

/// Where work runs: the backend that is measured, or what a peer is comparable to.
enum Side: String, CaseIterable {
    case processes
    case threads

    func pool(workers: Int = 2) throws -> Pool {
        switch self {
        case .processes: try Pool(.processes, workers: workers)
        case .threads: try Pool(.threads, workers: workers)
        }
    }
}
