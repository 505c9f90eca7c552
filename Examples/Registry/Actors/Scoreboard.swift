public import Distributed
public import Multiprocessing

/// Points of players; the type that the server and its clients have in common.
public distributed actor Scoreboard {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    /// What is refused.
    public enum Refusal: Error, Codable, Equatable {
        case negative(Int)
    }

    private var points: [String: Int] = [:]

    /// Makes a board without points.
    public init(actorSystem: WorkerActorSystem) {
        self.actorSystem = actorSystem
    }

    /// Adds points, and returns how many the player has then.
    public distributed func add(_ count: Int, to player: String) throws -> Int {
        guard count >= 0 else { throw Refusal.negative(count) }
        points[player, default: 0] += count
        return points[player, default: 0]
    }

    /// The players and their points, the best first.
    public distributed func ranking() -> [Rank] {
        points.map { Rank(player: $0.key, points: $0.value) }
            .sorted { ($1.points, $0.player) < ($0.points, $1.player) }
    }

    /// A player's place.
    public struct Rank: Codable, Sendable, Hashable {
        /// Who it is.
        public var player: String
        /// How many points that player has.
        public var points: Int
    }
}
