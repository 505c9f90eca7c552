/// The words of all files.
struct Summary {
    let words: WordTable
    let byteCount: Int
    let fileCount: Int
    let problems: [Problem]

    /// Prints the top words, as `uniq -c` does, and the totals.
    func write(top count: Int) {
        for (word, count) in top(count) {
            let number = String(count)
            print(String(repeating: " ", count: max(0, 7 - number.count)) + "\(number) \(word)")
        }
        print("\(words.counts.reduce(0, +)) words, \(words.counts.count) different, in \(fileCount) files")
    }

    /// The most frequent words; those that are equally frequent in the order of the alphabet.
    private func top(_ count: Int) -> ArraySlice<(word: String, count: Int)> {
        guard count > 0 else { return [] }
        var all: [(word: String, count: Int)] = []
        words.forEach { all.append((String(decoding: $0, as: UTF8.self), $1)) }
        all.sort { ($1.count, $0.word) < ($0.count, $1.word) }
        return all.prefix(count)
    }
}
