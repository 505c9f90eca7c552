import Testing

/// wordcount counts what `tr`, `sort` and `uniq` count.
@Suite("wordcount", .serialized)
struct WordcountTests {
    /// Not the whole folder, which may hold what a build or an editor is writing.
    private let paths = "Package.swift README.md CHANGELOG.md LICENSE Sources Tests Examples"

    static let modes = ["--backend threads --workers 3", "--backend processes --workers 3", "--serial"]

    /// What the words of the text files that `find` prints are, one a line with its count.
    private func independentCount(_ find: String, in directory: String = Repository.path) async throws -> [String] {
        let count = try await Shell.run(
            """
            \(find) -print0 | xargs -0 -n 1 bash -c 'tr -d "\\0" <"$0" | cmp -s - "$0" && cat "$0" && echo; true' \
            | tr -cs A-Za-z "\\n" | tr A-Z a-z | sed "/^$/d" | sort | uniq -c | sort -k1,1nr -k2
            """, in: directory)
        #expect(count.status == 0, "\(count.errors)")
        return lines(count.output)
    }

    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    }

    @Test("counts this repository's files as tr, sort and uniq do", arguments: modes)
    func repository(mode: String) async throws {
        let expected = try await independentCount("find \(paths) -type f")
        let run = try await Shell.run("$BIN/wordcount \(mode) --top 1000000 \(paths)")
        #expect(run.status == 0)
        #expect(run.errors.isEmpty, "\(run.errors)")
        let printed = lines(run.output)
        #expect(printed.dropLast(2) == expected[...])
        let words = expected.reduce(0) { $0 + Int($1.prefix { $0 != " " })! }
        #expect(printed.dropLast().last?.hasPrefix("\(words) words, \(expected.count) different, in ") == true)
        #expect(printed.last?.contains("MB/s") == true)
    }

    /// Files that are cut in pieces of a MiB: words across each cut, and a last word without an end.
    @Test("cuts large files between words", arguments: modes)
    func largeFile(mode: String) async throws {
        try await inTemporaryFolder { folder in
            let make = """
                yes "The quick BROWN fox, jumps over 13 lazy dogs_and_cats; again" | head -c 2500001 > large
                head -c 1500000 /dev/zero | tr "\\0" x > word
                """
            #expect(try await Shell.run(make, in: folder).status == 0)
            let expected = try await independentCount("find . -type f", in: folder)
            let run = try await Shell.run("$BIN/wordcount \(mode)", in: folder)
            #expect(run.status == 0)
            #expect(lines(run.output).dropLast(2) == expected[...])
        }
    }

    @Test("reports binary and unreadable files and skips them", arguments: modes)
    func unusableFiles(mode: String) async throws {
        try await inTemporaryFolder { folder in
            let make = """
                mkdir .git .build; echo hidden | tee .git/a > .build/b
                echo "one two two" > text
                printf "three\\0" > binary
                { yes four | head -c 1100000; printf "\\0"; yes four | head -c 1100000; } > large-binary
                touch empty; ln -s text link; ln -s nowhere dangling; mkfifo pipe
                """
            #expect(try await Shell.run(make, in: folder).status == 0)
            let run = try await Shell.run("$BIN/wordcount \(mode) . missing", in: folder)
            #expect(run.status == 0)
            #expect(lines(run.output).prefix(3) == ["2 two", "1 one", "3 words, 2 different, in 2 files"])
            let expected = [
                "wordcount: ./binary: binary file, skipped",
                "wordcount: ./large-binary: binary file, skipped",
                "wordcount: missing: No such file or directory, skipped",
            ]
            #expect(run.errors.split(separator: "\n").map(String.init) == expected)
        }
    }

    @Test(
        "refuses a command line that makes no sense",
        arguments: ["--workers 0", "--workers x", "--top", "--top -1", "--backend serial", "--backend", "--what"])
    func misuse(arguments: String) async throws {
        let run = try await Shell.run("$BIN/wordcount \(arguments)")
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("usage: wordcount"))
    }

    private func inTemporaryFolder(_ body: (String) async throws -> Void) async throws {
        let folder = try await Shell.run("mktemp -d").output.split(separator: "\n")[0]
        do {
            try await body(String(folder))
        } catch {
            _ = try await Shell.run("rm -r '\(folder)'")
            throw error
        }
        _ = try await Shell.run("rm -r '\(folder)'")
    }
}
