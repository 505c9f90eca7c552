package import MultiprocessingCoding

/// What travels on a worker's socket: a header of 16 bytes, then the payload.
///
/// The ends of a worker's socket are the same executable on the same machine, and those of an actor's have compared their
/// `Handshake.version`, so numbers are as the machine has them. Lengths have 64 bits. Payloads are padded to multiples of 16 bytes, so that every
/// frame begins on such a multiple, and numbers in the stream are where the machine wants them.
package enum Frame {
    /// The bytes that a payload takes in the stream.
    package static func paddedLength(_ length: Int) -> Int { (length + 15) & ~15 }

    /// A payload larger than this is read into memory of its own.
    package static let largeSize = ArrivingArray.largeSize

    /// How many bytes an attachment may have that a worker sends: with its number, a payload that is not large.
    static let workerAttachmentLimit = largeSize - 8

    /// What a frame carries; the numbers travel.
    package enum Kind: UInt8 {
        // From the parent.

        /// A function that chunks will name: `number` is its id, the payload says where to find it.
        case define = 1
        /// The value of the variable of main.swift with this `number`, until the next one for it.
        case variable
        /// Work: see ``ChunkHeader``; `number` is the count of items.
        case chunk
        /// The request to end.
        case stop
        /// The question whether the worker has done all that was sent before it: the number of the last chunk.
        ///
        /// The worker sends all the results that it has, and then the number back, by the lane beside.
        case inquiry

        // From the worker.

        /// The first frame: who the worker is.
        case hello
        /// The values of the next `number` items.
        case values
        /// The error of the next item.
        case failure
        /// The end of the chunk: its sequence number and how many nanoseconds it ran. The `number` is not zero if its
        /// items have said how far they were, which the parent reads first.
        case chunkEnd

        // From both.

        /// Names of keys that later bytes refer to by number.
        case keys
        /// Something that later bytes refer to by number: the number, then its bytes. See ``Attachment``.
        case attachment
        /// The number of an attachment to which no bytes refer any more.
        case forget
        /// The bits of a large array of numbers: the value of the next item, or, with the id of the function as
        /// `number`, the only input of the chunk that comes next.
        case array

        // On the lane beside: see ``ControlMessage``.

        /// The number of a chunk that was cancelled.
        case cancel
        /// The number of an actor of whose end the parent wants to know.
        case watchActor
        /// The number of the last chunk that is done, and all before it.
        case answer
        /// How far the item that runs has come: see ``ItemProgress``.
        case progress
        /// The number of an actor that is gone.
        case actorEnded

        // Between who calls an actor and its host: see ``ActorFrame``.

        /// A call: of the method with this `number`, or of one that it names if that is zero.
        case call
        /// The number of a call that its caller does not need any more.
        case cancelCall
        /// The number of a call, and what it returned.
        case returned
        /// The number of a call, and the error that it threw.
        case threw
        /// The number of a call that was not begun, and why.
        case refused
        /// The number of an actor to which the sender has references from now on.
        case hold
        /// The number of an actor to which the sender has no reference any more.
        case drop
        /// The number of a call that asks for the actor that a server offers: its name, and its type's.
        case find
        /// What shows that the next frame is unchanged: see ``FrameSeal``.
        case seal
        /// A method, which later calls name by its `number`, from 1.
        case method
    }

    /// The fixed part in front of each payload.
    package struct Header {
        package static let size = 16

        package var kind: Kind
        package var number: UInt32
        package var length: UInt64

        func append(to buffer: ByteBuffer) {
            buffer.append(UInt32(kind.rawValue))
            buffer.append(number)
            buffer.append(length)
        }

        func store(at address: UnsafeMutableRawPointer) {
            address.storeBytes(of: UInt32(kind.rawValue), as: UInt32.self)
            address.storeBytes(of: number, toByteOffset: 4, as: UInt32.self)
            address.storeBytes(of: length, toByteOffset: 8, as: UInt64.self)
        }

        /// Whether the payload is read into memory of its own.
        var isLarge: Bool { length > UInt64(Frame.largeSize) }

        /// Whether a worker could send such a frame, whatever it carries.
        var isOfWorker: Bool {
            switch kind {
            case .define, .variable, .chunk, .stop, .inquiry, .cancel, .watchActor, .answer, .progress, .actorEnded:
                false
            case .call, .cancelCall, .returned, .threw, .refused, .hold, .drop, .find, .seal, .method: false
            case .hello, .attachment: !isLarge
            case .forget: length == 8
            case .chunkEnd: length == 16
            // Several values come from the stage.
            case .values: number == 1 || (number > 1 && length <= UInt64(ProgressBoard.stageSize))
            case .array: isLarge
            case .failure, .keys: true
            }
        }

        /// Makes the memory of a large payload; `land` makes that of an array.
        func landing(_ land: (Header) throws -> ArrivingArray) throws -> ArrivingArray {
            let landing = kind == .array ? try land(self) : try ArrivingArray(size: length, of: UInt8.self)
            guard landing.size == Int(length) else { throw PortableFailure.unexpectedArray }
            return landing
        }

        /// The bytes that the frame takes in the stream.
        var frameSize: Int { Self.size + Frame.paddedLength(Int(length)) }

        /// - Throws: For bytes that are no header.
        static func read(from reader: inout ByteReader) throws -> Header {
            let kind: UInt32 = try reader.read()
            let number: UInt32 = try reader.read()
            let length: UInt64 = try reader.read()
            guard let kind = UInt8(exactly: kind).flatMap(Kind.init), length <= UInt64(Int.max - 64) else {
                throw PortableFailure.unknownFrame
            }
            return Header(kind: kind, number: number, length: length)
        }
    }

    /// What a chunk's payload begins with.
    struct ChunkHeader {
        static let size = 32

        private static let stopsFlag: UInt32 = 1
        private static let timedFlag: UInt32 = 2
        private static let promptFlag: UInt32 = 4
        private static let attemptShift: UInt32 = 3

        /// Counts the chunks of one worker, from 1.
        var sequence: UInt64
        /// What the chunk's items share; 0 for nothing.
        var context: UInt64
        var function: UInt32
        /// Whether items behind one that fails are not to start.
        var stopsAtFailure: Bool
        /// How often the items are run with this time.
        var attempt: UInt32
        /// See ``ProgressBoard/begin(_:of:epoch:)``.
        var epoch: UInt16
        /// How many items the worker begins together.
        var stride: UInt32
        /// Whether the worker notes when it begins the chunk; see ``ProgressBoard/begunAt``.
        var isTimed: Bool
        /// Whether each stride's values are to be found in the stage before the next is begun.
        var isPrompt: Bool

        func append(to buffer: ByteBuffer) {
            buffer.append(sequence)
            buffer.append(context)
            buffer.append(function)
            buffer.append(stride)
            // As wide as they need not be, so that the items begin on a multiple of 16 bytes.
            buffer.append(UInt32(epoch))
            let flags =
                (stopsAtFailure ? Self.stopsFlag : 0) | (isTimed ? Self.timedFlag : 0)
                | (isPrompt ? Self.promptFlag : 0)
            buffer.append(min(attempt, .max >> Self.attemptShift) << Self.attemptShift | flags)
        }

        static func read(from reader: inout ByteReader) throws -> ChunkHeader {
            let sequence: UInt64 = try reader.read()
            let context: UInt64 = try reader.read()
            let function: UInt32 = try reader.read()
            let stride: UInt32 = try reader.read()
            let epoch: UInt32 = try reader.read()
            let flags: UInt32 = try reader.read()
            guard stride > 0 else { throw PortableFailure.unknownFrame }
            return ChunkHeader(
                sequence: sequence, context: context, function: function,
                stopsAtFailure: flags & stopsFlag != 0, attempt: flags >> attemptShift,
                epoch: UInt16(truncatingIfNeeded: epoch), stride: stride, isTimed: flags & timedFlag != 0,
                isPrompt: flags & promptFlag != 0)
        }
    }

    /// Appends what is missing behind a payload of this length.
    static func appendPadding(after length: Int, to buffer: ByteBuffer) {
        let count = paddedLength(length) - length
        if count > 0 {
            buffer.append(uninitialized: count).initializeMemory(as: UInt8.self, repeating: 0, count: count)
        }
    }

    /// Appends a whole frame whose payload `body` writes.
    package static func append(
        _ kind: Kind,
        number: UInt32 = 0,
        to buffer: ByteBuffer,
        _ body: (ByteBuffer) throws -> Void
    ) rethrows {
        let start = buffer.count
        Header(kind: kind, number: number, length: 0).append(to: buffer)
        try body(buffer)
        let length = buffer.count - start - Header.size
        buffer.overwrite(at: start + 8, with: UInt64(length))
        appendPadding(after: length, to: buffer)
    }
}
