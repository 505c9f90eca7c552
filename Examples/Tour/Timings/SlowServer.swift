import Dispatch
import Glibc
import Multiprocessing

/// A web server on this machine that takes its time: each of its ten pages comes after a while.
///
/// A page is a JSON object with the number of all reposts and those of the page, two hundred.
final class SlowServer: Sendable {
    static let pages = 10
    static let repostsPerPage = 200

    let port: UInt16
    private let listener: Int32

    /// - Parameter delay: How long each page takes, in microseconds.
    init(delay: UInt32) throws {
        // Not for workers: whoever has the descriptor keeps the port.
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isListening else { throw Wrong(description: "no port to listen at: \(String(cString: strerror(errno)))") }
        port = UInt16(bigEndian: address.sin_port)
        DispatchQueue(label: "tour.server").async {
            while true {
                let connection = accept(listener, nil, nil)
                if connection >= 0 {
                    _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                    DispatchQueue(label: "tour.connection").async { Self.answer(connection, delay) }
                } else if errno != EINTR && errno != ECONNABORTED {
                    break
                }
            }
            close(listener)
        }
    }

    /// Takes no more connections, and gives the port back.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func answer(_ connection: Int32, _ delay: UInt32) {
        defer { close(connection) }
        guard let request = readRequest(connection) else { return }
        usleep(delay)
        let path = request.split(separator: " ").dropFirst().first ?? ""
        let page = path.hasPrefix("/page/") ? Int(path.dropFirst(6)) : nil
        let body = page.map(json) ?? "{}"
        let status = page == nil ? "404 Not Found" : "200 OK"
        write(
            """
            HTTP/1.1 \(status)\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            Connection: close\r
            \r
            \(body)
            """, to: connection)
    }

    /// Everything up to the empty line; `nil` when the client goes away before.
    private static func readRequest(_ connection: Int32) -> String? {
        var request: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(connection, &piece, piece.count)
            guard count > 0 else { return nil }
            request += piece[..<count]
            let text = String(decoding: request, as: UTF8.self)
            if text.hasSuffix("\r\n\r\n") { return text }
        }
    }

    private static func json(_ page: Int) -> String {
        let first = (page - 1) * repostsPerPage + 1
        let reposts = (first..<first + repostsPerPage).map { "{\"id\": \($0), \"text\": \"repost \($0)\"}" }
        return """
            {"total_number": \(pages * repostsPerPage), "reposts": [\(reposts.joined(separator: ", "))]}
            """
    }
}
