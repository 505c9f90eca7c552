internal import CMultiprocessing
internal import Glibc

/// What happens to descriptors between the start of a child and its new image.
struct FileActions: ~Copyable {
    /// Child numbers are below; everything from here up is closed in the child.
    private let limit: Int32

    private let actions: UnsafeMutablePointer<posix_spawn_file_actions_t>

    // Open until the child has started.
    private var duplicates = DescriptorList()

    init(above limit: Int32) throws(SystemError) {
        let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
        do throws(SystemError) {
            try checked("posix_spawn_file_actions_init") { posix_spawn_file_actions_init(actions) }
        } catch {
            actions.deallocate()
            throw error
        }
        self.actions = actions
        self.limit = limit
    }

    deinit {
        posix_spawn_file_actions_destroy(actions)
        actions.deallocate()
    }

    mutating func pass(_ source: DescriptorNumber, at target: DescriptorNumber) throws(SystemError) {
        // The actions run one after another on one table: a source below the limit could be
        // the target of an earlier one. A duplicate above it never is, and being another
        // number than its target it also loses close-on-exec on the way.
        let duplicate = try FileDescriptor.duplicating(source, lowest: limit)
        try checked("posix_spawn_file_actions_adddup2") {
            posix_spawn_file_actions_adddup2(actions, duplicate.number.rawValue, target.rawValue)
        }
        duplicates.append(duplicate)
    }

    /// Passes a descriptor that is closed here once the child has started.
    mutating func pass(_ source: consuming FileDescriptor, at target: DescriptorNumber) throws(SystemError) {
        try pass(source.number, at: target)
        duplicates.append(source)
    }

    mutating func changeDirectory(to path: String) throws(SystemError) {
        try checked("posix_spawn_file_actions_addchdir_np") { mp_spawn_change_directory(actions, path) }
    }

    /// Closes all that was not passed; the last action, because the duplicates go with it.
    mutating func closeTheRest() throws(SystemError) {
        try checked("posix_spawn_file_actions_addclosefrom_np") { mp_spawn_close_from(actions, limit) }
    }

    borrowing func withUnsafePointer<R>(_ body: (UnsafePointer<posix_spawn_file_actions_t>) -> R) -> R {
        body(actions)
    }
}

/// Descriptors that are closed together.
///
/// `Array` holds only what can be copied.
private struct DescriptorList: ~Copyable {
    private var numbers: [DescriptorNumber] = []

    deinit {
        for number in numbers {
            _ = FileDescriptor(adopting: number)
        }
    }

    mutating func append(_ descriptor: consuming FileDescriptor) {
        numbers.append(descriptor.release())
    }
}
