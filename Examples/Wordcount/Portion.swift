import Multiprocessing

/// What one worker counts at a time: some small files, or a piece of a large one.
struct Portion: Job {
    /// About how many bytes a portion has: a few milliseconds of work.
    static let size = 1 << 20

    /// The most files in a portion; opening a file has its price too.
    private static let fileLimit = 64

    private(set) var pieces: [Piece] = []
    private(set) var byteCount = 0

    func run() -> Tally {
        var tally = Tally(splitFile: pieces.first.flatMap { $0.isWhole ? nil : $0.path })
        for piece in pieces {
            do throws(Problem) {
                try tally.count(piece)
            } catch {
                tally.problems.append(error)
            }
        }
        return tally
    }

    /// Divides files so that each byte is in one portion.
    static func dividing(_ files: [FileTree.File]) -> [Portion] {
        var portions: [Portion] = []
        var open = Portion()
        for file in files {
            if file.size > size {
                for start in stride(from: 0, to: file.size, by: size) {
                    let end = min(start + size, file.size)
                    portions.append(Portion(Piece(path: file.path, start: start, end: end, isWhole: false)))
                }
                continue
            }
            if open.byteCount + file.size > size || open.pieces.count == fileLimit {
                portions.append(open)
                open = Portion()
            }
            open.add(Piece(path: file.path, start: 0, end: file.size, isWhole: true))
        }
        if !open.pieces.isEmpty { portions.append(open) }
        return portions
    }

    private init() {}

    private init(_ piece: Piece) {
        add(piece)
    }

    private mutating func add(_ piece: Piece) {
        pieces.append(piece)
        byteCount += piece.end - piece.start
    }
}
