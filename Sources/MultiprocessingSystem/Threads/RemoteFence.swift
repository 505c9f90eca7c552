internal import CMultiprocessing

/// A fence that one thread makes others pass, so that who runs item after item needs none for each.
///
/// Who runs stores where it stands, and then looks whether it is to stop, with no more than the compiler kept
/// from exchanging the two. Who stops it stores that it is to, passes this fence, and then reads where it stands.
/// So either the one has seen that it is to stop, or the other sees where it stands: as with a fence on both sides.
package enum RemoteFence {
    /// Whether the kernel makes such fences; from the first look on, this process answers those of others.
    ///
    /// False before Linux 4.16, and where a sandbox forbids it.
    package static let isAvailable = mp_remote_fence_register() == 0

    /// Whose threads pass the fence.
    package enum Scope {
        /// Those of this process.
        case threads
        /// Those of every process that answers fences.
        case processes
    }

    /// Returns when every thread that runs has passed the fence, some microseconds later.
    package static func pass(_ scope: Scope) {
        guard mp_remote_fence(scope == .processes) != 0 else { return }
        // Forbidden since it was tried. No processor keeps a store to itself for as long as this.
        ThisProcess.pause(milliseconds: 10)
    }
}
