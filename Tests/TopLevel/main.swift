import Multiprocessing

// The variables. Their values depend on the arguments, so that no optimizer knows them.

let factor = CommandLine.arguments.count + 2
let text = "text \(factor)"
let list = [factor, 2, 3]
let table = ["a": factor, "b": 2]
let settings = Settings(rate: factor, name: "name \(factor)")
let applicationSettings = ApplicationSettings(rate: factor)
let lossy = Lossy(a: factor, b: factor + 7)
private let secret = factor * 5
let isOn = factor > 1
let nothing: Int? = factor > 100 ? 1 : nil
let pair = (factor, "pair \(factor)")
nonisolated(unsafe) var counter = factor
nonisolated(unsafe) var words = ["word \(factor)"]

let appConfig = AppConfig(rate: factor)
let pairConfig = (appConfig, appConfig)
let optionalAppConfig: AppConfig? = factor > 1 ? appConfig : nil
let appConfigList = [appConfig, appConfig]
let configByApp = ["app": appConfig]
let boxConfig = BoxConfig(value: appConfig)
let boxInner = BoxConfig<AppConfig>.BoxInner(number: factor, value: appConfig)
let appPortable = AppPortable(rate: factor)
let pairPortable = (appPortable, named: [appPortable])
let boxPortable = BoxConfig(value: appPortable)
private let hiddenPortable = [Int?](repeating: factor, count: 2)

let allOptional = AllOptional(count: factor - factor)
let modeNone = factor > 1 ? Mode.none : .named("mode")
let modeInside = ModeInside(mode: factor > 100 ? allOptional : nil, other: allOptional)

let letter: Character = factor > 1 ? "l" : "m"
let partOfText = text.prefix(3)

// Blocking calls can be made here; of two forms the compiler takes this one at the top level.
let gate = try SharedLock()
try gate.withLock {}

// Those that cannot be sent.

let operation: @Sendable (Int) -> Int = { $0 + 1 }
let metatype: any Any.Type = factor > 1 ? Int.self : String.self

let app = Application(name: "app \(factor)")
let isThreads = CommandLine.arguments.last == "threads"
let pool = isThreads ? try Pool(.threads, workers: 2) : try Pool(.processes, workers: 2)

// MARK: Direct uses

await check("plain", 8) { try await pool.run(4) { $0 * 2 } }
await check("integer", 4 * factor) { try await pool.run(4) { $0 * factor } }
await check("string", text) { try await pool.run { text } }
await check("array", list + [1]) { try await pool.run { list + [1] } }
await check("dictionary", table) { try await pool.run { table } }
await check("structure", settings) { try await pool.run { settings } }
await check("name of its type", applicationSettings.rate) { try await pool.run { applicationSettings.rate } }
await check("fields that its coding leaves out", lossy.b) { try await pool.run { lossy.b } }
await check("private", secret) { try await pool.run { secret } }
await check("boolean", isOn) { try await pool.run { isOn } }
await check("nil", [nothing]) { try await pool.run { [nothing] } }
await check("tuple", pair.1) { try await pool.run { pair.1 + (pair.0 == factor ? "" : "?") } }
await check("several", "\(text)\(secret)\(list)") { try await pool.run { "\(text)\(secret)\(list)" } }
await check("map", (0..<50).map { $0 * factor }) { try await pool.map(0..<50, chunkSize: 1) { $0 * factor } }
await check("shared", 7 * factor) { try await pool.map([3], with: 4) { ($0 + $1) * factor }[0] }
await check("async closure", 5 * factor) {
    try await pool.run(5) { number in
        await Task.yield()
        return number * factor
    }
}
await check("task", 6 * factor) { try await pool.run(6) { number in await Task { number * factor }.value } }
await check("function", [factor, 2 * factor]) { try await pool.map([1, 2], scaled) }
await check("captured closure", 9 * factor) {
    let closure: @Sendable (Int) -> Int = { $0 * factor }
    return try await pool.run(9) { closure($0) }
}

// MARK: Names with abbreviated words

await check("word of its name", factor) { try await pool.run { appConfig.rate } }
await check("words in a tuple", "config\(factor)") { try await pool.run { "\(pairConfig.0.name)\(pairConfig.1.rate)" } }
await check("words in an optional", factor) { try await pool.run { optionalAppConfig?.rate ?? -1 } }
await check("words in an array", 2 * factor) { try await pool.run { appConfigList.reduce(0) { $0 + $1.rate } } }
await check("words in a dictionary", factor) { try await pool.run { configByApp["app"]?.rate ?? -1 } }
await check("words in a generic", factor) { try await pool.run { boxConfig.value.rate } }
await check("words in a nested generic", 2 * factor) { try await pool.run { boxInner.value.rate + boxInner.number } }
await check("words of a portable type", factor) { try await pool.run { appPortable.rate } }
await check("words of a portable type in a tuple", "portable\(factor)") {
    try await pool.run { "\(pairPortable.0.name)\(pairPortable.named[0].rate)" }
}
await check("words of a portable type in a generic", factor) { try await pool.run { boxPortable.value.rate } }
await check("words of a private variable", factor) { try await pool.run { hiddenPortable[1] ?? -1 } }

// MARK: Values whose bits are all zero

await check("all zero structure", [true, true]) {
    try await pool.run { [allOptional.name == nil, allOptional.list == nil && allOptional.count == 0] }
}
await check("all zero case", true) {
    try await pool.run {
        if case .none = modeNone { true } else { false }
    }
}
await check("all zero inside", true) {
    try await pool.run { modeInside.mode == nil && modeInside.other.name == nil }
}

// MARK: A pool within work

await check("nested pool", 6) {
    try await pool.run(3) { number in
        let inner = try Pool(.threads, workers: 1)
        let value = try await inner.run(number) { $0 * 2 }
        await inner.shutDown()
        return value
    }
}
await check("nested map", [2, 4]) {
    try await pool.run(3) { _ in
        let inner = try Pool(.threads, workers: 1)
        let value = try await inner.map([1, 2]) { $0 * 2 }
        await inner.shutDown()
        return value
    }
}
await check("nested stream", [2, 4]) {
    try await pool.run(3) { _ in
        let inner = try Pool(.threads, workers: 1)
        var values: [Int] = []
        for try await value in inner.stream([1, 2], { $0 * 2 }) { values.append(value) }
        await inner.shutDown()
        return values
    }
}

// MARK: Uses out of sight

await check("extension of String", 10 * factor) { try await pool.run("0123456789") { $0.scaledCount() } }
await check("extension of Array", 3 * factor) { try await pool.run([1, 2, 3]) { $0.scaledCount } }
await check("extension of Optional", factor) { try await pool.run(Int?.none) { $0.orFactor } }
await check("protocol extension", 6 * factor) { try await pool.run([1, 2, 3]) { $0.scaledSum() } }
await check("operator", 12 * factor) { try await pool.run(12) { $0 *** 1 } }
await check("default argument", 2 + factor) { try await pool.run(2) { added($0) } }
await check("method", 3 * factor) { try await pool.run(Settings(rate: 3, name: "")) { $0.scaledRate() } }
await check("job", 11 * factor) { try await pool.run(ScalingJob(number: 11)) }
await check("job without result", true) {
    try await pool.run(ExpectingJob(expected: factor))
    return true
}
await check("overridden method", 4 * factor) { try await pool.run(1) { makeShape($0).area(2, 2) } }
await check("subclass of an input", 4 * factor) { try await pool.run(makeCoded(isOn)) { $0.scaled(4) } }
await check("subclass in an array", 4 * factor) { try await pool.run([makeCoded(isOn)]) { $0[0].scaled(4) } }
await check("witness", 5 * factor) { try await pool.run(5) { makeRule($0 > 0).apply($0) } }
await check("generic", 6 * factor) { try await pool.run(6) { applied(ScalingRule(), to: $0) } }
await check("encode", isThreads ? 7 : 7 * factor) { try await pool.run(7) { ScaledWhenEncoded(number: $0) }.number }
await check("decode", isThreads ? 8 : 8 * factor) { try await pool.run(ScaledWhenDecoded(number: 8)) { $0.number } }
await check("table of closures", [factor, 1 + factor]) {
    try await pool.map([0, 1]) { Operations.all[$0](1) }
}
await check("stored closure", 3 * factor) { try await pool.run(3) { (Operations.named["scale"] ?? { $0 })($0) } }
await check("description", "<\(factor)>") { try await pool.run(Described()) { "\($0)" } }
await check("comparison", [factor, 0]) {
    try await pool.run([0, factor]) { $0.map { Compared(number: $0) }.sorted().map { $0.number } }
}
await check("hashing", 1) { try await pool.run(1) { Set([Hashed(number: $0), Hashed(number: $0 + factor)]).count } }
await check("async function", 10 * factor) { try await pool.run(10) { try await scaledLater($0) } }
await check("actor", 2 * factor) { try await pool.run(2) { await Scaler().scale($0) } }
await check("global of another file", factor + 100) { try await pool.run { derived } }
await check("static of another file", factor + 200) { try await pool.run { Derived.value } }

// MARK: Changes

for change in 1...20 {
    counter += 1
    words[0] += "!"
    words.append("\(change)")
    let (counterNow, wordsNow) = (counter, words)
    await check("changed integer \(change)", Array(repeating: counterNow, count: 6)) {
        try await pool.map(0..<6, chunkSize: 1) { _ in counter }
    }
    await check("changed array \(change)", Array(repeating: wordsNow, count: 6)) {
        try await pool.map(0..<6, chunkSize: 1) { _ in words }
    }
}

// MARK: What cannot be sent

await check("harmless rule", 3) { try await pool.run(3) { applied(HarmlessRule(), to: $0) } }
await check("refused object", app.name) { try await pool.run { app.name } }
await check("refused object out of sight", app.name.count) {
    try await pool.run(1) { applied(NamingRule(), to: $0) }
}
await check("refused object in a job", app.name) { try await pool.run(NamingJob()) }
await check("refused pool", 2) { try await pool.run { pool.workerCount } }
await check("character", "l") { try await pool.run { String(letter) } }
await check("part of a text", "tex") { try await pool.run { String(partOfText) } }
await check("refused closure", 2) { try await pool.run(1) { operation($0) } }
await check("refused type", "Int") { try await pool.run { "\(metatype)" } }

// MARK: What has no value yet

if !isThreads {
    await check("refused before its declaration", -1) { try await pool.run { late.count } }
}
let late = "late \(factor)"
await check("declared", late.count) { try await pool.run { late.count } }

await pool.shutDown()
print("end")
