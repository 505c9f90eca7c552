import MultiprocessingCoding
import MultiprocessingRuntime

/// Has the coders name subclasses by their place in the executable, as all types are named here.
enum ClassNames {
    /// Has to be called before the first value is coded.
    static func install() {
        ClassNaming.install(
            ClassNaming(
                name: { type in
                    var bytes: [UInt8] = []
                    try TypeReference(type).encode(into: &bytes)
                    bytes.seal()
                    return bytes
                },
                type: { bytes in
                    var reader = try ReferenceReader(sealed: bytes)
                    return try TypeReference(decoding: &reader).resolve()
                }))
    }
}
