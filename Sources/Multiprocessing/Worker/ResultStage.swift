import CMultiprocessing
import MultiprocessingCoding
import MultiprocessingSystem

/// Where a worker collects its frames before it writes them to its socket.
///
/// The bytes lie in memory that the parent has too. If the worker is killed, at any
/// instruction, the parent finds there what was complete: see ``ProgressBoard``. Each method says
/// in which order it stores, and what a death between two stores leaves behind.
///
/// Used on the worker's main thread only.
final class ResultStage {
    let board: ProgressBoard
    private let socket: Socket

    /// The place in the stream of the first staged byte.
    private var base: UInt64 = 0
    /// How many staged bytes form whole frames.
    private var published = 0
    /// The end of the staged bytes, the run in progress included.
    private var end = 0
    /// Where the run in progress begins, and how many values are in it.
    private var run: (start: Int, count: UInt32)?
    /// How many names of keys the parent has been sent.
    private var sentKeys = 0

    init(board: ProgressBoard, socket: consuming Socket) {
        self.board = board
        self.socket = socket
    }

    /// How many bytes wait to be sent.
    var stagedCount: Int { end }

    /// Begins a stride of a chunk: from now on its items count as run.
    ///
    /// - Returns: `false` if the parent has taken it back.
    func begin(_ stride: Int, of chunk: WorkerChunk) -> Bool {
        board.begin(stride, of: chunk.sequence, epoch: chunk.epoch)
    }

    // MARK: Values

    /// Adds an item's value.
    ///
    /// - Parameter isSized: Whether the value's size is to be written before it.
    func append(_ value: ByteBuffer, isSized: Bool) {
        sendNewKeys()
        let size = value.count + (isSized ? 8 : 0)
        guard openRun(for: size) else { return sendDirectly(value, isSized: isSized) }
        var address = board.stage.baseAddress! + end
        if isSized {
            address.storeBytes(of: UInt64(value.count), as: UInt64.self)
            address += 8
        }
        value.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { address.copyMemory(from: source, byteCount: bytes.count) }
        }
        completeValue(size)
    }

    /// Sends an item's value that is a large array from where it lies.
    func append(_ array: OwnedBytes) {
        let header = Frame.Header(kind: .array, number: 0, length: UInt64(array.bytes.count))
        withExtendedLifetime(array) { sendDirectly(header, array.bytes) }
    }

    /// Makes sure that a run is open and has room; false when not even an empty stage would do.
    private func openRun(for size: Int) -> Bool {
        let capacity = board.stage.count
        if run != nil, end + size <= capacity { return true }
        closeRun()
        if end + Frame.Header.size + size > capacity { flush() }
        guard end + Frame.Header.size + size <= capacity else { return false }
        // The header counts no values yet, so a death right after these stores salvages none.
        Frame.Header(kind: .values, number: 0, length: 0).store(at: board.stage.baseAddress! + end)
        run = (end, 0)
        end += Frame.Header.size
        board.openRun.store(UInt64(published) + 1)
        return true
    }

    /// Counts a value whose bytes are in place: after the store it is never lost.
    private func completeValue(_ size: Int) {
        guard let (start, count) = run else { return }
        end += size
        run = (start, count + 1)
        board.setRunCount(count + 1, at: start)
    }

    /// Has the parent find the values that are staged, which it can do only when they are a whole frame.
    func publishValues() {
        closeRun()
    }

    /// Makes a whole frame of the run in progress.
    ///
    /// Published first: until `openRun` is cleared it points below `published`, where it counts for nothing.
    private func closeRun() {
        guard let (start, count) = run else { return }
        run = nil
        if count == 0 {
            end = start
            board.openRun.store(0)
            return
        }
        let length = end - start - Frame.Header.size
        Frame.Header(kind: .values, number: count, length: UInt64(length)).store(at: board.stage.baseAddress! + start)
        end = start + Frame.Header.size + Frame.paddedLength(length)
        publish()
        board.openRun.store(0)
    }

    private func publish() {
        published = end
        board.published.store(UInt64(end))
    }

    // MARK: Values of a fixed size

    /// Calls `body` with places for values of one size, one after another, until it has no more.
    ///
    /// `body` gets the place of the first, how many have room, and where to count those that
    /// are complete: each is counted, with a releasing store, as soon as its bytes are there.
    /// It returns how many it has made.
    func appendValues(ofSize size: Int, _ body: (UnsafeMutableRawPointer, Int, RunCounter) -> Int) {
        guard openRun(for: size), let (start, count) = run else { return }
        let room = size == 0 ? Int(Int32.max) : (board.stage.count - end) / size
        let made = body(board.stage.baseAddress! + end, room, RunCounter(board: board, start: start, count: count))
        end += made * size
        run = (start, count + UInt32(made))
    }

    // MARK: Frames

    /// Adds a whole frame.
    func append(_ kind: Frame.Kind, number: UInt32 = 0, payload: ByteBuffer) {
        closeRun()
        let size = Frame.Header.size + Frame.paddedLength(payload.count)
        if end + size > board.stage.count { flush() }
        guard size <= board.stage.count else {
            let header = Frame.Header(kind: kind, number: number, length: UInt64(payload.count))
            return payload.withUnsafeBytes { sendDirectly(header, $0) }
        }
        let address = board.stage.baseAddress! + end
        Frame.Header(kind: kind, number: number, length: UInt64(payload.count)).store(at: address)
        payload.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress {
                (address + Frame.Header.size).copyMemory(from: source, byteCount: bytes.count)
            }
        }
        end += size
        publish()
    }

    /// Sends names of keys that were met since the last time, before the bytes that refer to them.
    func sendNewKeys() {
        let count = KeyTable.shared.count
        guard count > sentKeys else { return }
        let entries = ByteBuffer()
        sentKeys = KeyTable.shared.encodeEntries(from: sentKeys, into: entries)
        append(.keys, payload: entries)
    }

    // MARK: Sending

    /// Whether a thread of the parent is taking results from the stage at this moment.
    ///
    /// False only after a fence behind the last result, so that a parent that stops to watch sees that result.
    var isWatched: Bool {
        mp_fence()
        return board.isWatched.load() != 0
    }

    /// Forgets what is staged if the parent has taken all of it.
    private func dropTaken() -> Bool {
        guard run == nil, published > 0, published == end, board.taken.load() >= base + UInt64(published) else {
            return false
        }
        // Before anything is sent that comes behind these bytes.
        board.dropped.add(UInt64(published))
        clear()
        return true
    }

    /// Empties the stage of what the parent has.
    ///
    /// `published` is cleared before `base` moves: a death in between leaves a stage that ends
    /// where the parent has read to, and so nothing to salvage twice.
    private func clear() {
        let count = published
        published = 0
        end = 0
        board.published.store(0)
        advanceBase(count)
    }

    /// Writes what is staged to the socket; blocks while the parent does not read.
    func flush() {
        closeRun()
        guard published > 0, !dropTaken() else { return }
        send(UnsafeRawBufferPointer(rebasing: board.stage[..<published]))
        clear()
    }

    /// Sends a frame that is larger than the stage from where it lies.
    private func sendDirectly(_ value: ByteBuffer, isSized: Bool) {
        let size = UInt64(value.count)
        let header = Frame.Header(kind: .values, number: 1, length: size + (isSized ? 8 : 0))
        value.withUnsafeBytes { sendDirectly(header, $0, prefix: isSized ? size : nil) }
    }

    private func sendDirectly(_ header: Frame.Header, _ payload: UnsafeRawBufferPointer, prefix: UInt64? = nil) {
        flush()
        let head = ByteBuffer(capacity: 32)
        header.append(to: head)
        if let prefix { head.append(prefix) }
        let padding = ByteBuffer(capacity: 16)
        Frame.appendPadding(after: Int(header.length), to: padding)
        head.withUnsafeBytes { head in
            padding.withUnsafeBytes { padding in
                withUnsafeTemporaryAllocation(of: SendBuffer.self, capacity: 3) { buffers in
                    buffers[0] = SendBuffer(head)
                    buffers[1] = SendBuffer(payload)
                    buffers[2] = SendBuffer(padding)
                    finish(try? socket.sendAll(buffers))
                }
            }
        }
        advanceBase(head.count + payload.count + padding.count)
    }

    private func send(_ bytes: UnsafeRawBufferPointer) {
        finish(try? socket.sendAll(bytes))
    }

    /// A parent that is gone needs no worker.
    private func finish(_ isSent: Bool?) {
        if isSent != true { ThisProcess.endWithGroup() }
    }

    private func advanceBase(_ count: Int) {
        base += UInt64(count)
        board.base.store(base)
        // What is staged next is stored behind this; see where the parent copies it.
        mp_fence()
    }
}
