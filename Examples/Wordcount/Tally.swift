/// What a worker found in a portion.
struct Tally: Codable {
    /// The file of which the portion is a piece, if it is not of whole files.
    let splitFile: Path?
    private(set) var words = WordTable()
    private(set) var byteCount = 0
    private(set) var fileCount = 0
    var problems: [Problem] = []

    init(splitFile: Path?) {
        self.splitFile = splitFile
    }

    /// Counts the words that begin in a piece.
    mutating func count(_ piece: Piece) throws(Problem) {
        let bytes = try piece.read()
        byteCount += piece.end - piece.start
        fileCount += 1
        count(bytes)
    }

    private mutating func count(_ bytes: consuming [UInt8]) {
        for index in bytes.indices where bytes[index].isLetter { bytes[index] |= 0x20 }
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for index in bytes.indices where !bytes[index].isLetter {
                if start < index { words.add(UnsafeRawBufferPointer(rebasing: bytes[start..<index])) }
                start = index + 1
            }
            if start < bytes.count { words.add(UnsafeRawBufferPointer(rebasing: bytes[start...])) }
        }
    }

    /// Adds what was found elsewhere.
    mutating func add(_ other: Tally) {
        words.add(other.words)
        byteCount += other.byteCount
        fileCount += other.fileCount
        problems += other.problems
    }
}
