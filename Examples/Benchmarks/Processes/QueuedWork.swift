/// STUB
enum QueuedWork {
    static func bytes(_ side: Side, items: Int, keepsFutures: Bool) async throws -> Int { 0 }
}
