import Multiprocessing
import RegistryActors

/// A program of its own that uses what a registry offers.
///
///     registry-client HOST PORT KEY-FILE
///     registry-client SOCKET KEY-FILE
@main
enum Client {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let address = address(arguments), let keyPath = arguments.last else {
            print("usage: registry-client HOST PORT KEY-FILE\n       registry-client SOCKET KEY-FILE")
            return
        }
        let remote = try await Manager.connect(to: address, key: ManagerKey(contentsOf: keyPath))
        let scores = try await remote.object("scores", as: Scoreboard.self)
        print("ada has \(try await scores.add(3, to: "ada"))")
        do {
            _ = try await scores.add(-1, to: "bob")
        } catch Scoreboard.Refusal.negative(let count) {
            print("refused: \(count)")
        }
        for rank in try await scores.ranking() { print("\(rank.player) \(rank.points)") }

        let words = try await remote.object("words", as: ManagedDictionary<String, Int>.self)
        try await words.set("from the client", 1)
        print(
            "words: \(try await words.all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))"
        )

        // What the server does not offer, and what has another type there, is refused by name.
        do {
            _ = try await remote.object("secrets", as: Scoreboard.self)
        } catch let error as ActorCallError {
            print(error.message)
        }
        do {
            _ = try await remote.object("words", as: ManagedArray<Int>.self)
        } catch let error as ActorCallError {
            print(error.message)
        }
    }

    private static func address(_ arguments: ArraySlice<String>) -> ManagerAddress? {
        switch arguments.count {
        case 3: Int(arguments[2]).map { .tcp(host: arguments[1], port: $0) }
        case 2: .unix(arguments[1])
        default: nil
        }
    }
}
