import CMultiprocessing
import Glibc

/// The symbols of this process's executable that tell its functions and variables apart.
///
/// They come from the file's `.symtab`, which every linker writes and `strip` removes; the dynamic
/// symbols that the loader knows do not include what is local to the executable.
struct ExecutableSymbols: Sendable {
    struct Symbol: Sendable {
        /// Where it is in this process.
        let range: Range<UInt>
        let name: String
    }

    /// Variables at file scope whose memory is zero until the program writes to it, and which are not
    /// initialized at their first use.
    private(set) var variables: [Symbol] = []
    /// Functions by their first address; empty if ``variables`` is.
    private(set) var functions: [UInt: Symbol] = [:]
    /// The records that stand for async functions, by address.
    private(set) var asyncPointers: Set<UInt> = []

    /// The symbols of `/proc/self/exe`, or `nil` if it has none.
    static let current: ExecutableSymbols? = {
        guard let image = ImageTable.scan().image(named: "") else { return nil }
        let descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 64, let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            return nil
        }
        defer { munmap(start, size) }
        guard let table = SymbolTable(UnsafeRawBufferPointer(start: start, count: size)) else { return nil }
        return ExecutableSymbols(table, base: image.base)
    }()

    private init(_ table: SymbolTable, base: UInt) {
        var candidates: [Symbol] = []
        var lazy: Set<String> = []
        table.forEach(.object) { entry in
            let range = base &+ entry.address..<base &+ entry.address &+ entry.size
            if entry.nameEnds(with: "Tu") {
                asyncPointers.insert(range.lowerBound)
            } else if entry.nameEnds(with: "Wz") {
                // The mangled name of the variable without its type, and "_Wz".
                lazy.insert(String(entry.name.dropLast(3)))
            } else if entry.isZeroed, !range.isEmpty {
                // The optimizer splits a variable into its fields: "vp.0", "vp.1".
                let name = entry.name
                let whole = name.prefix { $0 != "." }
                if whole.hasPrefix("$s"), whole.hasSuffix("vp") {
                    candidates.append(Symbol(range: range, name: String(whole)))
                }
            }
        }
        variables = candidates.filter { candidate in !lazy.contains { candidate.name.hasPrefix($0) } }
        guard !variables.isEmpty else { return }
        table.forEach(.function) { entry in
            let address = base &+ entry.address
            functions[address] = Symbol(range: address..<address &+ entry.size, name: entry.name)
        }
    }

    /// The name as it is written in source, with the type after a colon.
    static func demangle(_ name: String) -> String {
        guard let text = mp_swift_demangle(name) else { return name }
        defer { free(text) }
        return String(cString: text)
    }
}
