import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A page of reposts, as the server gives it.
struct Page: Codable, Sendable {
    struct Repost: Codable, Hashable, Sendable {
        let id: Int
        let text: String
    }

    /// How many there are on all pages.
    let total: Int
    let reposts: [Repost]

    private enum CodingKeys: String, CodingKey {
        case total = "total_number"
        case reposts
    }

    /// Gets a page from the server.
    static func load(_ number: Int, from port: UInt16) async throws -> Page {
        guard let address = URL(string: "http://127.0.0.1:\(port)/page/\(number)") else { throw URLError(.badURL) }
        let (data, _) = try await session.data(from: address)
        return try JSONDecoder().decode(Page.self, from: data)
    }

    /// One for each process, which has as many connections as there may be threads, and keeps no pages.
    private static let session: URLSession = {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 100
        return URLSession(configuration: configuration)
    }()
}
