import Synchronization

/// What the functions and constants of the executable refer to, and so what running one of them can lead to.
///
/// A function reaches those that it calls or takes the address of, and the constants it uses: witness tables, class
/// metadata, tables of closures, descriptors of types. These reach what their pointers lead to. So a call
/// through a pointer is no riddle: whatever it calls, the pointer came from something that was reached. What the
/// runtime looks up, the conformances of a type, is reached with the type.
///
/// More is reached than a run would: each position of the code is tried as an operand, and each number in the
/// constants as an offset.
package final class ReferenceGraph: Sendable {
    private let file: ExecutableFile
    private let functions: FunctionRanges
    private let pointers: PointerTable
    private let objects: ObjectRanges
    private let records: RuntimeRecords
    /// The variables that are looked for, by address.
    private let variables: [Range<UInt>]

    /// What one function or constant refers to.
    private struct References {
        var parts: [Range<UInt>] = []
        var variables: [Int] = []
    }

    private let known = Mutex<[UInt: References]>([:])

    package init(_ file: ExecutableFile, functions: FunctionRanges, symbols: SymbolTable?, variables: [Range<UInt>]) {
        self.file = file
        self.functions = functions
        self.variables = variables
        pointers = PointerTable(file)
        let objects = ObjectRanges(file, symbols: symbols)
        self.objects = objects
        records = RuntimeRecords(file, pointers: pointers) { objects.object(containing: $0)?.lowerBound }
    }

    /// The variables that code which begins at one of `roots` can reach, each with a function that refers to it.
    ///
    /// - Parameter roots: Addresses of functions and of constants; others reach nothing.
    package func variables(reachedFrom roots: [UInt]) -> [Int: UInt] {
        var found: [Int: UInt] = [:]
        var seen: Set<UInt> = []
        var queue: [Range<UInt>] = []
        var next = 0
        func reach(_ part: Range<UInt>?) {
            if let part, seen.insert(part.lowerBound).inserted { queue.append(part) }
        }
        for root in roots { reach(part(at: root)) }
        for record in records.unconditional { reach(part(at: record)) }
        while next < queue.count {
            let part = queue[next]
            next += 1
            let references = references(of: part)
            for variable in references.variables where found[variable] == nil { found[variable] = part.lowerBound }
            for part in references.parts { reach(part) }
            for record in records.conformances(ofObjectAt: part.lowerBound) { reach(self.part(at: record)) }
        }
        return found
    }

    /// The function that begins at an address, or the constant that lies there.
    private func part(at address: UInt) -> Range<UInt>? {
        switch file.section(containing: address)?.kind {
        case .code: functions.function(at: address)
        case .data: objects.object(containing: address)
        case .zeroed, nil: nil
        }
    }

    private func references(of part: Range<UInt>) -> References {
        if let references = known.withLock({ $0[part.lowerBound] }) { return references }
        var made = References()
        var parts: Set<UInt> = [part.lowerBound]
        func add(_ part: Range<UInt>?) {
            if let part, parts.insert(part.lowerBound).inserted { made.parts.append(part) }
        }
        if file.section(containing: part.lowerBound)?.kind == .code {
            let code = MachineCode(file.bytes(at: part), at: part.lowerBound, isAbsolute: file.isAbsolute)
            code.forEachReference { address, _ in
                if let variable = variable(at: address) {
                    if !made.variables.contains(variable) { made.variables.append(variable) }
                } else {
                    add(self.part(at: address))
                }
            }
        } else {
            forEachReference(ofObject: part) { add(self.part(at: $0)) }
        }
        known.withLock { $0[part.lowerBound] = made }
        return made
    }

    private func variable(at address: UInt) -> Int? {
        let index = variables.firstIndex(above: address) { $0.lowerBound } - 1
        return index >= 0 && variables[index].contains(address) ? index : nil
    }

    /// Calls `body` with what the pointers and the offsets in a constant lead to.
    private func forEachReference(ofObject part: Range<UInt>, _ body: (UInt) -> Void) {
        for pointer in pointers.pointers(in: part) { body(pointer.target) }
        let bytes = file.bytes(at: part)
        if file.isAbsolute {
            for place in stride(from: 0, to: bytes.count - 7, by: 8) {
                body(UInt(bytes.number(at: place, as: UInt64.self)))
            }
        }
        objects.forEachOffset(in: part, bytes) { place, value in
            let address = part.lowerBound &+ UInt(place)
            // The lowest bit says that a pointer is there, to what is meant; another may stand beside it.
            for offset in value & 1 == 0 ? [value] : [value, value & ~1, value & ~3] {
                let target = address &+ UInt(bitPattern: Int(offset))
                // Flags and counts can look like such a distance, but nothing has the loader write a pointer there.
                guard offset == value || file.isAbsolute || pointers[target] != nil else { continue }
                guard let section = file.section(containing: target), isStart(target, in: section) else { continue }
                let isClose = section.addresses.contains(part.lowerBound)
                if records.mayRefer(from: part, at: place, to: target, inSameSection: isClose) { body(target) }
            }
        }
    }

    /// Whether something can begin at `address`, as far as is known.
    private func isStart(_ address: UInt, in section: ExecutableFile.Section) -> Bool {
        switch section.kind {
        case .code: functions.function(at: address) != nil
        case .data: objects.isStart(address)
        case .zeroed: false
        }
    }
}
