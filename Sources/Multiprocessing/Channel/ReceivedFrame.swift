/// A frame as the worker has read it.
package struct ReceivedFrame {
    package let header: Frame.Header
    /// Good until the next frame is read, and only as long as the landing lives, if there is one.
    package let payload: UnsafeRawBufferPointer
    /// The memory of a large payload.
    package let landing: ArrivingArray?
}
