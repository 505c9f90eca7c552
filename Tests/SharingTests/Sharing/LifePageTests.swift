import TestSupport
import Testing

@testable import MultiprocessingSystem

@Suite("Who is alive in a tree of processes", .admitted)
struct LifePageTests {
    @Test("A process is alive until it lets go of its file, or is written down as dead")
    func lives() throws {
        let pages = try LifePage.makePages()
        let mine = try LifePage(pages)
        var other: LifePage? = try LifePage(pages)
        let number = try #require(other).number
        #expect(mine.number == 1)
        #expect(number == 2)
        #expect(mine.isAlive(number))
        #expect(mine.isAlive(mine.number))
        #expect(mine.processID(of: number) == ProcessID.current.rawValue)
        other = nil
        #expect(!mine.isAlive(number))
        // Nobody has that number yet.
        #expect(!mine.isAlive(7))
        #expect(mine.processID(of: 7) == nil)
    }

    @Test("An announced end counts where the file is still open, as in a process that was forked off")
    func announced() throws {
        let pages = try LifePage.makePages()
        let mine = try LifePage(pages)
        let other = try LifePage(pages)
        let deaths = mine.deaths.load()
        #expect(mine.wasAlive(other.number, deaths: deaths))
        mine.announceEnd(of: .current, among: 1...mine.lastNumber)
        #expect(mine.deaths.load() == deaths + 1)
        #expect(!mine.isAlive(other.number))
        #expect(mine.isAlive(mine.number))
        // Only what was given before counts: a number given later belongs to a process that got the id again.
        let later = try LifePage(pages)
        mine.announceEnd(of: .current, among: 1...other.number)
        #expect(mine.isAlive(later.number))
    }

    @Test("An answer counts until somebody has died")
    func cached() throws {
        let pages = try LifePage.makePages()
        let mine = try LifePage(pages)
        var other: LifePage? = try LifePage(pages)
        let number = try #require(other).number
        #expect(mine.wasAlive(number, deaths: 0))
        other = nil
        #expect(mine.wasAlive(number, deaths: 0))
        #expect(!mine.wasAlive(number, deaths: 1))
    }

    @Test("More processes than there are numbers are refused")
    func limit() throws {
        let pages = try LifePage.makePages()
        let mine = try LifePage(pages)
        mine.skipNumbers(to: LifePage.numberLimit - 2)
        let last = try LifePage(pages)
        #expect(last.number == LifePage.numberLimit - 1)
        #expect(mine.isAlive(last.number))
        for _ in 0..<3 {
            #expect { try LifePage(pages) } throws: { ($0 as? SystemError)?.errno == .tooManyProcesses }
        }
        #expect(mine.isAlive(last.number))
    }

    @Test("Making and joining takes little")
    func cost() throws {
        let start = MonotonicTime.now()
        for _ in 0..<100 { _ = try LifePage(LifePage.makePages()) }
        // Some 40 µs each; a hundred times that on a busy machine in debug.
        #expect(MonotonicTime.now().duration(since: start) < .seconds(1))
    }
}
