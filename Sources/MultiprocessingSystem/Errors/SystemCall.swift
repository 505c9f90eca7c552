/// Makes a system call, again for as long as a signal interrupts it.
///
/// - Returns: What the call returned, which is never negative.
/// - Throws: The error number that the call left, under the name `operation`.
@discardableResult
func systemCall<Value: FixedWidthInteger & SignedInteger>(
    _ operation: @autoclosure () -> String,
    _ body: () -> Value
) throws(SystemError) -> Value {
    while true {
        let result = body()
        if result >= 0 {
            return result
        }
        let error = Errno.current
        if error != .interrupted {
            throw SystemError(error, operation())
        }
    }
}

/// Makes a call of the `posix_` or `pthread_` family, which returns its error number.
func checked(_ operation: @autoclosure () -> String, _ body: () -> Int32) throws(SystemError) {
    let result = body()
    if result != 0 {
        throw SystemError(Errno(rawValue: result), operation())
    }
}
