/// How two ends of a connection prove to each other that they have the same key, before anything else is said.
///
/// The server sends a challenge; the client answers with its own and the proof for the server's; the server proves
/// itself by the proof for the client's. Each proof is an ``HMAC`` over both challenges and what its end is, so that
/// neither can be used again, nor sent back to who made it. Messages have fixed sizes, and nothing in them is decoded.
///
/// A value without a socket: its owner sends and receives the bytes.
struct Handshake {
    enum Role: Equatable {
        case client
        /// With the address that clients learn.
        case server(ActorAddress)
    }

    /// What follows from the bytes that came.
    struct Step {
        /// What has to be sent.
        var reply: [UInt8] = []
        /// Whether the other end has proved itself, and the reply has to be the last.
        var isOver = false
    }

    /// What went wrong.
    enum Failure: Error, Equatable {
        /// The other end is none of this library's.
        case stranger
        /// It is of a version that says other things.
        case version(UInt32)
        /// It has another key.
        case key
    }

    static let version: UInt32 = 1
    private static let magic = Array("swift-mp".utf8)
    private static let nonceSize = 32
    private static let headSize = 8 + 4 + nonceSize
    private static let addressSize = 16

    let role: Role
    private let key: [UInt8]
    private let nonce: [UInt8]
    /// The other end's challenge, once it is there.
    private var peerNonce: [UInt8]?
    /// Where the server says that it can be reached; known to the client at the end.
    private(set) var serverAddress: ActorAddress?

    /// - Parameter nonce: The challenge, of 32 bytes that nobody can guess.
    init(as role: Role, key: [UInt8], nonce: [UInt8] = Handshake.makeNonce()) {
        self.role = role
        // Else a key with a zero behind it would be the same key.
        self.key = SHA256.hash(key)
        self.nonce = nonce
    }

    static func makeNonce() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<nonceSize).map { _ in UInt8.random(in: 0...(.max), using: &random) }
    }

    /// What this end says before the other does.
    var opening: [UInt8] { role == .client ? [] : head }

    /// How many bytes the next message of the other end has.
    var awaitedCount: Int {
        switch (role, peerNonce) {
        case (.client, nil): Self.headSize
        case (.client, _): Self.addressSize + HMAC.size
        case (.server, _): Self.headSize + HMAC.size
        }
    }

    /// Takes the next message of the other end, of ``awaitedCount`` bytes.
    mutating func take(_ message: [UInt8]) throws(Failure) -> Step {
        guard message.count == awaitedCount else { throw .stranger }
        switch role {
        case .client:
            guard let peerNonce else {
                let challenge = try Self.readHead(message)
                peerNonce = challenge
                return Step(reply: head + clientProof(server: challenge, client: nonce))
            }
            let address = Array(message.prefix(Self.addressSize))
            guard let found = Self.readAddress(address) else { throw .key }
            let proof = serverProof(server: peerNonce, client: nonce, address: address)
            guard HMAC.areEqual(proof, Array(message.dropFirst(Self.addressSize))) else { throw .key }
            serverAddress = found
            return Step(isOver: true)
        case .server(let address):
            let challenge = try Self.readHead(Array(message.prefix(Self.headSize)))
            let proof = clientProof(server: nonce, client: challenge)
            peerNonce = challenge
            guard HMAC.areEqual(proof, Array(message.dropFirst(Self.headSize))) else { throw .key }
            let bytes = Self.bytes(of: address)
            return Step(
                reply: bytes + serverProof(server: nonce, client: challenge, address: bytes), isOver: true)
        }
    }

    /// What a server says in place of its proof to a client whose proof is wrong: as many bytes, all zero.
    static var refusal: [UInt8] { Array(repeating: 0, count: addressSize + HMAC.size) }

    /// What seals the frames of both directions, once both ends have proved themselves.
    var seals: (sending: FrameSeal, receiving: FrameSeal)? {
        guard let peerNonce else { return nil }
        let (server, client) = role == .client ? (peerNonce, nonce) : (nonce, peerNonce)
        func seal(_ label: String) -> FrameSeal {
            FrameSeal(key: HMAC.code(of: Self.label(label) + server + client, key: key))
        }
        let (fromClient, fromServer) = (seal("client's frames"), seal("server's frames"))
        return role == .client ? (fromClient, fromServer) : (fromServer, fromClient)
    }

    // MARK: Messages

    private var head: [UInt8] { Self.magic + Self.bytes(Self.version) + nonce }

    private static func readHead(_ message: [UInt8]) throws(Failure) -> [UInt8] {
        guard Array(message.prefix(8)) == magic else { throw .stranger }
        let version = message[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard version == Self.version else { throw .version(version) }
        return Array(message.dropFirst(12))
    }

    private func clientProof(server: [UInt8], client: [UInt8]) -> [UInt8] {
        HMAC.code(of: Self.label("client") + server + client, key: key)
    }

    private func serverProof(server: [UInt8], client: [UInt8], address: [UInt8]) -> [UInt8] {
        HMAC.code(of: Self.label("server") + server + client + address, key: key)
    }

    private static func label(_ role: String) -> [UInt8] {
        Array("swift-multiprocessing \(role) \(version)\n".utf8)
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func bytes(of address: ActorAddress) -> [UInt8] { bytes(address.high) + bytes(address.low) }

    /// An address; `nil` for that of a refusal.
    private static func readAddress(_ bytes: [UInt8]) -> ActorAddress? {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        let high = number(bytes[0..<8])
        return high == 0 ? nil : ActorAddress(high: high, low: number(bytes[8..<16]))
    }
}
