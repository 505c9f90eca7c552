extension ValueDecoder {
    /// Finds the entry with a key, which most often is the next one.
    ///
    /// - Returns: The head of its value; nil if there is none or the field is absent.
    @inline(__always)
    func find<Key: CodingKey>(_ key: Key, _ plan: UnsafePointer<KeyPlan>) throws -> Head? {
        if let local = plan.pointee.index(of: key) {
            let remote = remoteIndex(local)
            if let remote, nextEntry < head.end, let (bits, end) = try? bytes.varint(at: nextEntry, limit: head.end),
                bits == UInt64(remote) &<< 1
            {
                return try value(ofEntry: nextEntry, at: end)
            }
            return try search(key, remote)
        }
        return try plan.pointee.isDictionaryKey ? findInOrder(key) : findByText(key)
    }

    /// The index by which the other side knows a key.
    @inline(__always)
    private func remoteIndex(_ local: UInt32) -> UInt32? {
        guard let keys = storage.keys else { return local }
        return keys.index(ofLocal: local)
    }

    /// Reads the head of an entry's value and expects the next key behind it.
    @inline(__always)
    private func value(ofEntry entry: Int, at offset: Int) throws -> Head? {
        let value = try head(at: offset, limit: head.end, .entry(entry))
        foundEntry = entry
        nextEntry = value.end
        return value.tag == Tag.absent ? nil : value
    }

    /// Looks for a key that is not where it was expected, from there on and then from the start.
    @inline(never)
    private func search(_ key: some CodingKey, _ remote: UInt32?) throws -> Head? {
        if entries != nil { return try findByText(key) }
        var text: String?
        let origin = nextEntry
        for range in [origin..<head.end, head.payload..<origin] {
            var entry = range.lowerBound
            while entry < range.upperBound {
                passedEntries += 1
                if passedEntries > 64 { return try findByText(key) }
                let (name, end) = try entryKey(at: entry)
                if try isEqual(name, key, remote, &text) { return try value(ofEntry: entry, at: end) }
                entry = try head(at: end, limit: head.end, .entry(entry)).end
            }
        }
        return nil
    }

    private func isEqual(
        _ name: EntryKey.Name, _ key: some CodingKey, _ remote: UInt32?, _ text: inout String?
    ) throws -> Bool {
        if case .index(let index) = name { return remote.map(UInt64.init) == index }
        var expected = text ?? key.stringValue
        defer { text = expected }
        switch name {
        case .index: return false
        case .integer(let integer): return expected == String(integer)
        case .text(let start, let count): return bytes.isText(&expected, start: start, count: count)
        }
    }

    /// Finds a key of a dictionary, which asks for its keys in the order in which they are there.
    private func findInOrder(_ key: some CodingKey) throws -> Head? {
        if nextEntry < head.end {
            let (name, end) = try entryKey(at: nextEntry)
            switch name {
            case .integer(let integer) where key.intValue == integer:
                return try value(ofEntry: nextEntry, at: end)
            case .text(let start, let count):
                var text = key.stringValue
                if bytes.isText(&text, start: start, count: count) { return try value(ofEntry: nextEntry, at: end) }
            default: break
            }
        }
        return try findByText(key)
    }

    /// Finds an entry by its key's text; the last one counts if there are several.
    private func findByText(_ key: some CodingKey) throws -> Head? {
        if entries == nil {
            var found: [String: Int] = [:]
            try forEachEntry { entry, name, value in
                if value.tag != Tag.absent { found[try pathKey(name, ofEntry: entry).stringValue] = entry }
            }
            entries = found
        }
        guard let entry = entries?[key.stringValue] else { return nil }
        return try value(ofEntry: entry, at: try entryKey(at: entry).end)
    }

    /// Calls `body` with the offset, the key and the head of the value of each entry.
    func forEachEntry(_ body: (Int, EntryKey.Name, Head) throws -> Void) throws {
        var entry = head.payload
        while entry < head.end {
            let (name, end) = try entryKey(at: entry)
            let value = try head(at: end, limit: head.end, .entry(entry))
            try body(entry, name, value)
            entry = value.end
        }
    }

    /// The key of an entry as text, which damaged bytes may not hold.
    func pathKey(_ name: EntryKey.Name, ofEntry entry: Int) throws -> PathKey {
        switch name {
        case .index(let index):
            let key = storage.keys.map { $0.key(at: index) } ?? KeyTable.shared.key(at: index)
            guard let key else { throw damage(CodingFailure(.unknownKey, offset: entry), .none) }
            return key
        case .text(let start, let count):
            guard let text = bytes.text(start: start, count: count) else {
                throw damage(CodingFailure(.invalidText, offset: start), .none)
            }
            return PathKey(stringValue: text)
        case .integer(let integer):
            return PathKey(intValue: integer)
        }
    }

    private func entryKey(at offset: Int) throws -> (EntryKey.Name, end: Int) {
        do {
            let key = try bytes.key(at: offset, limit: head.end)
            return (key.name, key.end)
        } catch {
            throw damage(error, .none)
        }
    }
}
