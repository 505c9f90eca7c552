internal import CMultiprocessing

extension Cores {
    /// The numbers of the cores that the calling thread may run on, in order; empty where that cannot be told.
    package static func numbers() -> [Int] {
        let count = mp_affinity_count()
        guard count > 0 else { return [] }
        var numbers = [Int32](repeating: 0, count: Int(count))
        // Fewer than asked for if another thread changes the mask at this moment.
        let written = mp_affinity_list(&numbers, count)
        return numbers.prefix(max(0, Int(written))).map(Int.init)
    }
}
