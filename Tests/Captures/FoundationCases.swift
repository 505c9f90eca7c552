import Foundation
import Multiprocessing

struct OfFoundation: Sendable {
    var data: Data
    var date: Date
    var id: UUID
    var url: URL?
    var decimal: Decimal
    var set: IndexSet
    var zone: TimeZone
    var last: UInt8
}

struct Stamp: Codable, Sendable { var date: Date, id: UUID? }

func foundationCases() -> [Case] {
    let number = one
    let of = OfFoundation(
        data: Data([UInt8(one), 2, 3]), date: Date(timeIntervalSince1970: Double(one)),
        id: UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, UInt8(one))),
        url: one > 1 ? nil : URL(string: "https://example.com/abc"), decimal: Decimal(one) / 4, set: [one, 5],
        zone: TimeZone(secondsFromGMT: 3600 * one)!, last: 7)
    let stamp = Stamp(date: Date(timeIntervalSince1970: Double(one)), id: nil)
    let set: IndexSet = [one, 5]
    let data = Data([UInt8(one), 2, 3])
    return [
        Case("Foundation's values", 3656) {
            total(
                $0, of.data.count, Int(of.date.timeIntervalSince1970), Int(of.id.uuid.15),
                (of.url?.lastPathComponent.utf8.count ?? 0), NSDecimalNumber(decimal: of.decimal * 100).intValue,
                of.set.reduce(0, +), of.zone.secondsFromGMT(), Int(of.last))
        },
        Case("a date and no id", 11) { $0 + Int(stamp.date.timeIntervalSince1970) + (stamp.id == nil ? 0 : 1) },
        Case("data", 16) { $0 + data.reduce(0) { $0 + Int($1) } },
        Case("an index set beside a number", 17) { $0 + set.reduce(0, +) + number },
        Case("an index set", refused: "cannot be told from it") { $0 + set.reduce(0, +) },
    ]
}
