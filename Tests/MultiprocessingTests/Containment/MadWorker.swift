import Glibc
import Multiprocessing
import TestSupport

/// What work can do to the channel of the worker process that it runs in, if it is out of its mind.
struct MadWorker {
    /// The words of the board, by their place in it.
    enum Word: Int, CaseIterable, Codable {
        case base, published, openRun, claims, index, isWatched, taken, dropped, begunAt, running, order, cancellations
    }

    /// What of the board lies before the stage, and the stage.
    private static let headerSize = 128
    private static let stageSize = 256 << 10

    private let board: UnsafeMutableRawPointer
    private let sockets: [Int32]
    private var random: RandomSource

    /// Finds the channel; `nil` in a process that is no worker.
    init?(seed: UInt64) {
        random = RandomSource(seed: seed)
        guard let board = Self.findBoard() else { return nil }
        self.board = board
        sockets = (0..<Int32(64)).filter { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        }
    }

    private static func findBoard() -> UnsafeMutableRawPointer? {
        guard let file = fopen("/proc/self/maps", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1_024)
        while fgets(&line, Int32(line.count), file) != nil {
            guard strstr(line, "multiprocessing-board") != nil else { continue }
            return UnsafeMutableRawPointer(bitPattern: strtoul(line, nil, 16))
        }
        return nil
    }

    // MARK: One thing

    subscript(word: Word) -> UInt64 {
        get { board.load(fromByteOffset: 8 * word.rawValue, as: UInt64.self) }
        nonmutating set { board.storeBytes(of: newValue, toByteOffset: 8 * word.rawValue, as: UInt64.self) }
    }

    /// Writes bytes to a socket of the worker, if they fit; the first is the one that carries work.
    func write(_ bytes: [UInt8], toSocket index: Int = 0) {
        guard !sockets.isEmpty else { return }
        _ = send(sockets[index % sockets.count], bytes, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }

    /// Writes bytes to the lane beside the work: the socket of which the worker has one descriptor only.
    func writeToLane(_ bytes: [UInt8]) {
        let inodes = sockets.map { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 ? status.st_ino : 0
        }
        let lane = inodes.indices.first { index in inodes.filter { $0 == inodes[index] }.count == 1 }
        if let lane { write(bytes, toSocket: lane) }
    }

    static func header(_ kind: Frame.Kind, number: UInt32, length: UInt64) -> [UInt8] {
        header(kind: UInt32(kind.rawValue), number: number, length: length)
    }

    static func header(kind: UInt32, number: UInt32, length: UInt64) -> [UInt8] {
        withUnsafeBytes(of: kind) { Array($0) } + withUnsafeBytes(of: number) { Array($0) }
            + withUnsafeBytes(of: length) { Array($0) }
    }

    // MARK: Anything

    mutating func corrupt() {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: scribbleWord()
        case 4: self[.claims] ^= 1 << UInt64.random(in: 0..<64, using: &random)
        case 5, 6: scribbleStage()
        case 7: sendFrame()
        case 8: sendFrame(isWhole: true)
        default: sendBytes()
        }
    }

    private mutating func scribbleWord() {
        let word = Word.allCases.randomElement(using: &random) ?? .base
        switch Int.random(in: 0..<6, using: &random) {
        case 0: self[word] = 0
        case 1: self[word] = 1
        case 2: self[word] = .max
        case 3: self[word] = random.next()
        case 4: self[word] &+= UInt64.random(in: 0...64, using: &random)
        default: self[word] &-= UInt64.random(in: 0...64, using: &random)
        }
    }

    private mutating func scribbleStage() {
        // Mostly where there is something.
        let end = Bool.random(using: &random) ? 256 : Self.stageSize
        for _ in 0..<Int.random(in: 1...16, using: &random) {
            let place = Self.headerSize + Int.random(in: 0..<end, using: &random)
            board.storeBytes(of: UInt8.random(in: 0 ... .max, using: &random), toByteOffset: place, as: UInt8.self)
        }
    }

    private mutating func sendFrame(isWhole: Bool = false) {
        let lengths: [UInt64] = [0, 8, 16, 24, 1_000, 100_000, 1 << 20, 1 << 33, 1 << 50, .max]
        let length = (isWhole ? lengths[..<5] : lengths[...]).randomElement(using: &random) ?? 0
        var bytes = Self.header(
            kind: UInt32.random(in: 0...17, using: &random), number: UInt32.random(in: 0...3, using: &random),
            length: length)
        let count = isWhole ? (Int(length) + 15) & ~15 : Int.random(in: 0...40, using: &random)
        for _ in 0..<count { bytes.append(UInt8.random(in: 0...3, using: &random)) }
        write(bytes, toSocket: Int.random(in: 0..<3, using: &random))
    }

    private mutating func sendBytes() {
        let bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in
            UInt8.random(in: 0 ... .max, using: &random)
        }
        write(bytes, toSocket: Int.random(in: 0..<3, using: &random))
    }
}

/// A step of a test of mad workers: an item that does harm, or one that notes who runs it.
struct MadStep: Job {
    let number: Int
    let notebook: Notebook
    /// How often it does harm.
    var corruptions = 0
    var seed: UInt64 = 0

    static func value(of number: Int) -> Int { number &* 7_919 &+ 1 }

    func run() -> Int {
        if corruptions == 0 {
            notebook.write("ran \(number) \(getpid())")
        } else if var mad = MadWorker(seed: seed) {
            // First, so that what comes of the harm finds it there.
            notebook.write("mad \(getpid())")
            for _ in 0..<corruptions { mad.corrupt() }
        }
        return Self.value(of: number)
    }
}
