extension QueueRing {
    /// What came beside an item.
    func receiveObjects(_ bytes: UnsafeRawBufferPointer) throws -> ReceivedAttachments { throw SharedStateError.damagedQueue }
}
