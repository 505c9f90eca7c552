import Glibc

/// The input of an item that has a number and reports to a rendezvous.
package struct Numbered: Codable, Hashable, Sendable {
    package let number: Int
    package let ticket: Rendezvous.Ticket

    package init(number: Int, ticket: Rendezvous.Ticket) {
        self.number = number
        self.ticket = ticket
    }
}

package let ownProcessID = Int(getpid())
