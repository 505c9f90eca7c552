import Multiprocessing

final class Account: Codable, Sendable {
    let n: Int
    init(n: Int) { self.n = n }
}

final class Session: Sendable {
    let n: Int
    init(n: Int) { self.n = n }
}

struct OfAccount: Codable, Sendable { let account: Account, n: Int }

struct OfSession: Sendable { let inner: InnerOfSession, n: Int }

struct InnerOfSession: Sendable { let session: Session, n: Int }

enum ChoiceOfAccount: Codable, Sendable {
    case account(Account)
    case none
}

struct OfFunction: Sendable { let body: @Sendable (Int) -> Int, n: Int }

struct OfAny: Sendable { let value: any Sendable, n: Int }

struct OfPointer: @unchecked Sendable { let pointer: UnsafeRawPointer?, n: Int }

enum TreeOfNothing: Sendable {
    case leaf(Int)
    indirect case node(TreeOfNothing, TreeOfNothing)

    var sum: Int {
        switch self {
        case .leaf(let number): number
        case .node(let left, let right): left.sum + right.sum
        }
    }
}

func objectCases() -> [Case] {
    let number = one
    let account = Account(n: one)
    let optional = one > 1 ? nil : account
    let tuple = (account, one)
    let array = [account]
    let map = ["a": account]
    let inStructure = OfAccount(account: account, n: one)
    let ofSession = OfSession(inner: InnerOfSession(session: Session(n: one), n: one), n: one)
    let choice = one > 1 ? ChoiceOfAccount.none : .account(account)
    let ofFunction = OfFunction(body: { $0 + number }, n: one)
    let ofAny = OfAny(value: one, n: one)
    let ofPointer = OfPointer(pointer: nil, n: one)
    let any: any Codable & Sendable = one > 1 ? "" : one
    let tree = one > 1 ? TreeOfNothing.leaf(1) : .node(.leaf(1), .leaf(2))
    return [
        Case("an object", refused: "Account", "a class or an actor") { $0 + account.n },
        Case("an object beside a number", refused: "Account", "a class or an actor") { $0 + account.n + number },
        Case("an optional object", refused: "Account", "a class or an actor") { $0 + (optional?.n ?? 0) + number },
        Case("an optional object alone", refused: "Account", "a class or an actor") { $0 + (optional?.n ?? 0) },
        Case("an object in a tuple", refused: "Account", "a class or an actor") { $0 + tuple.0.n + tuple.1 },
        Case("objects in an array", refused: "an array of objects") { $0 + array[0].n },
        Case("objects in an array beside a number", refused: "Account", "a class or an actor") {
            $0 + array[0].n + number
        },
        Case("objects in a dictionary", refused: "Account", "a class or an actor") { $0 + map["a"]!.n + number },
        Case("an object in a structure", refused: "OfAccount", "account", "a class or an actor") {
            $0 + inStructure.account.n + inStructure.n
        },
        Case("an object in a structure in a structure", refused: "OfSession", "inner.session", "a class or an actor") {
            $0 + ofSession.inner.session.n + ofSession.n + ofSession.inner.n
        },
        Case("an object in an enumeration", refused: "Account", "a class or an actor") {
            guard case .account(let account) = choice else { return 0 }
            return $0 + account.n + number
        },
        Case("a function in a structure", refused: "OfFunction", "body") { ofFunction.body($0) + ofFunction.n },
        Case("an existential in a structure", refused: "OfAny", "value") {
            $0 + (ofAny.value as? Int ?? 0) + ofAny.n
        },
        Case("an existential", refused: "Decodable", "of which a worker process cannot know the type inside") {
            $0 + (any as? Int ?? 0) + number
        },
        Case("a pointer in a structure", refused: "OfPointer", "pointer") {
            $0 + (ofPointer.pointer == nil ? 0 : 1) + ofPointer.n
        },
        Case("an indirect case of what is not Codable", refused: "TreeOfNothing", "indirect") { $0 + tree.sum },
    ]
}
