package import MultiprocessingCoding
import MultiprocessingSystem

/// What travels on the lane beside the one for work, where it waits behind none: see ``ControlLane``.
///
/// What else has to be said while work runs becomes a case here and a ``Frame/Kind``.
package enum ControlMessage: Equatable, Sendable {
    // To the worker.

    /// The chunk with this number was cancelled.
    case cancel(UInt64)

    /// The parent wants to know when the actor with this number is gone.
    case watchActor(UInt64)

    // From the worker.

    /// It has done all chunks up to this one, and has sent their results: the answer to ``Frame/Kind/inquiry``.
    case answer(UInt64)
    /// The actor with this number is gone, or was never there.
    case actorEnded(UInt64)
    /// The item that runs says how far it has come.
    case progress(ItemProgress)

    /// The most bytes that a payload has.
    private static let payloadLimit = 24 + ItemProgress.textLimit

    /// Refuses what cannot be such a message, before its payload is waited for.
    static func admit(_ header: Frame.Header) throws {
        let isPossible =
            switch header.kind {
            case .cancel, .watchActor, .answer, .actorEnded: header.length == 8
            case .progress: header.length >= 24 && header.length <= UInt64(payloadLimit)
            default: false
            }
        guard isPossible else { throw PortableFailure.unknownFrame }
    }

    init(_ header: Frame.Header, from reader: inout ByteReader) throws {
        try Self.admit(header)
        let sequence: UInt64 = try reader.read()
        switch header.kind {
        case .cancel: self = .cancel(sequence)
        case .watchActor: self = .watchActor(sequence)
        case .answer: self = .answer(sequence)
        case .actorEnded: self = .actorEnded(sequence)
        default:
            let item: UInt64 = try reader.read()
            let fraction = Double(bitPattern: try reader.read())
            let text = try reader.readText(reader.remaining)
            self = .progress(ItemProgress(sequence: sequence, item: item, fraction: fraction, text: text))
        }
    }

    package func append(to buffer: ByteBuffer) {
        switch self {
        case .cancel(let sequence): Frame.append(.cancel, to: buffer) { $0.append(sequence) }
        case .watchActor(let actor): Frame.append(.watchActor, to: buffer) { $0.append(actor) }
        case .answer(let sequence): Frame.append(.answer, to: buffer) { $0.append(sequence) }
        case .actorEnded(let actor): Frame.append(.actorEnded, to: buffer) { $0.append(actor) }
        case .progress(let progress):
            Frame.append(.progress, to: buffer) { buffer in
                buffer.append(progress.sequence)
                buffer.append(progress.item)
                buffer.append(progress.fraction.bitPattern)
                var text = progress.text
                text.withUTF8 { buffer.append(contentsOf: UnsafeRawBufferPointer($0)) }
            }
        }
    }
}

/// Makes messages of the bytes that come, however they are cut.
package struct ControlReader {
    private var assembler = FrameAssembler()

    package init() {}

    /// Whether all that came belongs to messages that were handed on.
    var isBetweenMessages: Bool { assembler.isBetweenFrames }

    /// Takes bytes as they came, and hands on each message that is complete.
    ///
    /// - Throws: For bytes that are no message, as soon as that shows.
    package mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        _ deliver: (ControlMessage) throws -> Void
    ) throws {
        try assembler.take(bytes, admit: ControlMessage.admit, land: Self.refuse) { header, reader, _ in
            try deliver(try ControlMessage(header, from: &reader))
        }
    }

    /// Takes the bytes that have come through a link; see ``take(_:_:)``.
    mutating func receive(
        from link: borrowing FrameLink,
        into buffer: UnsafeMutableRawBufferPointer,
        _ deliver: (ControlMessage) throws -> Void
    ) throws -> ReceiveResult {
        try link.receive(&assembler, into: buffer, admit: ControlMessage.admit, land: Self.refuse) {
            header, reader, _ in
            try deliver(try ControlMessage(header, from: &reader))
        }
    }

    /// No message is large.
    private static func refuse(_ header: Frame.Header) throws -> ArrivingArray {
        throw PortableFailure.unknownFrame
    }
}
