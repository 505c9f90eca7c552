import CMultiprocessing

/// A file's bytes in memory.
package final class MappedFile: @unchecked Sendable {
    // Sendable: the mapping is only read, and lasts as long as the object.

    package let bytes: UnsafeRawBufferPointer

    /// Why a file could not be mapped.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ path: String) throws(Failure) {
        var start: UnsafeRawPointer?
        var size = 0
        let error = mp_map_file(path, &start, &size)
        guard error == 0 else { throw Failure(description: String(cString: mp_error_text(error))) }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        mp_unmap_file(bytes.baseAddress, bytes.count)
    }
}
