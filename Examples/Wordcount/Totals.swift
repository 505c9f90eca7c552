/// What was found in all portions, which may come in any order.
struct Totals {
    private var total = Tally(splitFile: nil)

    /// The large files, put together from their pieces: one bad piece takes the whole file away.
    private var splitFiles: [Path: Tally] = [:]

    mutating func add(_ tally: Tally) {
        if let file = tally.splitFile {
            splitFiles[file, default: Tally(splitFile: file)].add(tally)
        } else {
            total.add(tally)
        }
    }

    /// The sums, when there is nothing left to add.
    func finished(_ treeProblems: [Problem]) -> Summary {
        var total = total
        var problems = Set(treeProblems)
        var fileCount = total.fileCount
        for tally in splitFiles.values {
            if let problem = tally.problems.min() {
                problems.insert(problem)
            } else {
                total.add(tally)
                fileCount += 1
            }
        }
        problems.formUnion(total.problems)
        return Summary(
            words: total.words, byteCount: total.byteCount, fileCount: fileCount, problems: problems.sorted())
    }
}
