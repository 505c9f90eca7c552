import MultiprocessingCoding

extension WorkerLink {
    /// What waits to be sent to the worker, and what the worker knows already.
    struct Outbox {
        /// The frames that have not gone out.
        var unsent = FrameLink.Unsent()

        /// What the worker holds.
        var ledger = WorkerLedger()

        var knownAttachments: Set<UInt64> = []
        var isClosed = false
        var isWaitingToSend = false

        private var definedFunctions: Set<UInt32> = []
        /// The versions of main.swift's variables that the worker has, by their numbers.
        private var knownVariables: [UInt32: UInt64] = [:]
        private var sentKeys = 0
        /// How many bytes of attachments were added and not asked for.
        private var attachedSize = 0

        /// Up to which chunk the worker was asked whether it has done it.
        private(set) var inquired: UInt64 = 0

        /// Inputs of at least this size are sent from where they lie.
        private static let copyLimit = 16 << 10

        // MARK: Adding

        /// Adds the frames of chunks, after the frames that they build on.
        mutating func append(_ first: Chunk, then others: [Chunk]) {
            let head = ByteBuffer(capacity: 256)
            // Before anything that could refer to them.
            if KeyTable.shared.count > sentKeys {
                Frame.append(.keys, to: head) { sentKeys = KeyTable.shared.encodeEntries(from: sentKeys, into: $0) }
            }
            append(first, behind: head)
            for chunk in others { append(chunk, behind: head) }
            flush(head)
        }

        private mutating func append(_ chunk: Chunk, behind head: ByteBuffer) {
            guard let portable = chunk.portable else { return }
            if definedFunctions.insert(portable.definition.id).inserted {
                Frame.append(.define, number: portable.definition.id, to: head) { buffer in
                    portable.definition.bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
                }
            }
            portable.forEachAttachment { append($0, behind: head) }
            // A chunk that was made before others, and sent behind them, finds what it needs or what came after it.
            for value in portable.variables where knownVariables[value.variable, default: 0] < value.version {
                knownVariables[value.variable] = value.version
                let size = value.bytes.count
                Frame.Header(kind: .variable, number: value.variable, length: UInt64(size)).append(to: head)
                append(value.bytes, 0..<size, behind: head)
                Frame.appendPadding(after: size, to: head)
            }
            if let array = portable.array {
                let size = array.bytes.count
                Frame.Header(kind: .array, number: portable.definition.id, length: UInt64(size)).append(to: head)
                flushCopy(of: head)
                unsent.append(array)
                Frame.appendPadding(after: size, to: head)
            }
            let entry = ledger.add(chunk)
            let items = portable.items(chunk.finishedCount..<chunk.count)
            Frame.Header(
                kind: .chunk,
                number: UInt32(chunk.remainingCount),
                length: UInt64(Frame.ChunkHeader.size + items.count)
            ).append(to: head)
            Frame.ChunkHeader(
                sequence: entry.sequence, context: portable.context?.number ?? 0, function: portable.definition.id,
                stopsAtFailure: chunk.stopsAtFailure, attempt: UInt32(clamping: chunk.attempt), epoch: ledger.epoch,
                stride: UInt32(clamping: entry.stride), isTimed: chunk.limits.timeout != nil, isPrompt: chunk.isPrompt
            ).append(to: head)
            append(portable.inputs, items, behind: head)
            Frame.appendPadding(after: Frame.ChunkHeader.size + items.count, to: head)
        }

        private mutating func append(_ attachment: Attachment, behind head: ByteBuffer) {
            guard knownAttachments.insert(attachment.number).inserted else { return }
            for inner in attachment.attachments { append(inner, behind: head) }
            attachedSize += attachment.bytes.count
            let size = 8 + attachment.bytes.count
            let count = attachment.descriptors.count
            if count > 0 { flushCopy(of: head) }
            Frame.Header(kind: .attachment, number: UInt32(count), length: UInt64(size)).append(to: head)
            head.append(attachment.number)
            if count > 0 {
                // What begins with the frame waits for its descriptors to be sent.
                attachment.bytes.withUnsafeBytes { head.append(contentsOf: $0) }
                Frame.appendPadding(after: size, to: head)
                return flushCopy(of: head, announcing: attachment)
            }
            append(attachment.bytes, 0..<attachment.bytes.count, behind: head)
            Frame.appendPadding(after: size, to: head)
        }

        /// How many bytes of attachments were added since this was asked.
        mutating func takeAttachedSize() -> Int {
            defer { attachedSize = 0 }
            return attachedSize
        }

        mutating func appendForget(_ attachment: UInt64) {
            let frame = ByteBuffer(capacity: 32)
            Frame.append(.forget, to: frame) { $0.append(attachment) }
            flush(frame)
        }

        /// Asks the worker, behind all that it was sent, whether it has done it; once for the same work.
        mutating func appendInquiry() -> Bool {
            guard ledger.count > 0, ledger.sequence > inquired else { return false }
            inquired = ledger.sequence
            let frame = ByteBuffer(capacity: 32)
            Frame.append(.inquiry, to: frame) { $0.append(inquired) }
            flush(frame)
            return true
        }

        mutating func appendStop() {
            let frame = ByteBuffer(capacity: 16)
            Frame.append(.stop, to: frame) { _ in }
            flush(frame)
        }

        /// Adds bytes behind those in `head`: copied if they are few, else from where they lie.
        private mutating func append(_ bytes: ByteBuffer, _ range: Range<Int>, behind head: ByteBuffer) {
            if range.count < Self.copyLimit {
                bytes.withUnsafeBytes { head.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[range])) }
            } else {
                flushCopy(of: head)
                unsent.append(OwnedBytes(bytes, range))
            }
        }

        /// Adds what is in `head` so far as a segment of its own, and empties it.
        private mutating func flushCopy(of head: ByteBuffer, announcing attachment: Attachment? = nil) {
            let copy = ByteBuffer(capacity: head.count)
            head.withUnsafeBytes { copy.append(contentsOf: $0) }
            head.removeAll(keepingCapacity: true)
            flush(copy, announcing: attachment)
        }

        private mutating func flush(_ head: ByteBuffer, announcing attachment: Attachment? = nil) {
            guard head.count > 0 else { return }
            var bytes = OwnedBytes(head, 0..<head.count)
            bytes.announced = attachment.map(AnnouncedDescriptors.init)
            unsent.append(bytes)
        }
    }
}
