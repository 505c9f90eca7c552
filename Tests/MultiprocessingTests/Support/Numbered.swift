import Glibc

/// The input of an item that has a number and reports to a rendezvous.
struct Numbered: Codable, Hashable, Sendable {
    let number: Int
    let ticket: Rendezvous.Ticket
}

let ownProcessID = Int(getpid())
