/// What a read gave.
package enum ReceiveResult: Hashable, Sendable {
    /// This many bytes, at least one.
    case received(Int)

    /// Nothing yet; the descriptor becomes readable later.
    case wouldBlock

    /// Nothing ever again: the other end is closed and all that it sent has been read.
    ///
    /// A peer that closed without reading what was sent to it (ECONNRESET) ends the same way.
    case endOfStream

    static func catching(
        _ body: () throws(SystemError) -> Int
    ) throws(SystemError) -> ReceiveResult {
        do throws(SystemError) {
            let count = try body()
            return count == 0 ? .endOfStream : .received(count)
        } catch {
            switch error.errno {
            case .wouldBlock: return .wouldBlock
            case .connectionReset, .brokenPipe: return .endOfStream
            default: throw error
            }
        }
    }
}
