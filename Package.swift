// swift-tools-version: 6.2

import PackageDescription

// For those who work on the package; in a program that uses it a new compiler's warning is no error.
let isStrict = Context.environment["MULTIPROCESSING_WARNINGS"] == "error"

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
    name: "swift-multiprocessing",
    products: [
        .library(name: "Multiprocessing", targets: ["Multiprocessing"])
    ],
    targets: [
        .target(name: "CMultiprocessing"),
        .target(name: "MultiprocessingSystem", dependencies: ["CMultiprocessing"], swiftSettings: settings),
        .target(name: "MultiprocessingCoding", dependencies: ["CMultiprocessing"], swiftSettings: settings),
        .target(name: "MultiprocessingRuntime", dependencies: ["CMultiprocessing"], swiftSettings: settings),
        .target(
            name: "Multiprocessing",
            dependencies: [
                "CMultiprocessing", "MultiprocessingSystem", "MultiprocessingCoding", "MultiprocessingRuntime",
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "quickstart",
            dependencies: ["Multiprocessing"],
            path: "Examples/Quickstart",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "wordcount",
            dependencies: ["Multiprocessing"],
            path: "Examples/Wordcount",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "survive",
            dependencies: ["Multiprocessing"],
            path: "Examples/Survive",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "pipeline",
            dependencies: ["Multiprocessing"],
            path: "Examples/Pipeline",
            swiftSettings: settings
        ),
        // What the two programs of the registry have in common.
        .target(
            name: "RegistryActors",
            dependencies: ["Multiprocessing"],
            path: "Examples/Registry/Actors",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "registry",
            dependencies: ["Multiprocessing", "RegistryActors"],
            path: "Examples/Registry/Server",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "registry-client",
            dependencies: ["Multiprocessing", "RegistryActors"],
            path: "Examples/Registry/Client",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "tour",
            dependencies: ["Multiprocessing"],
            path: "Examples/Tour",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "benchmarks",
            dependencies: ["Multiprocessing"],
            path: "Examples/Benchmarks",
            swiftSettings: settings
        ),
        // A program for the tests to start, kill and look at from outside.
        .executableTarget(
            name: "probe",
            dependencies: ["Multiprocessing"],
            path: "Tests/Probe",
            swiftSettings: settings
        ),
        // A program for the tests that captures values of types that it uses for nothing else.
        .executableTarget(
            name: "captures",
            dependencies: ["Multiprocessing"],
            path: "Tests/Captures",
            swiftSettings: settings
        ),
        // A program for the tests that does what services do: it gives up root, becomes a daemon, has capabilities.
        .executableTarget(
            name: "service",
            dependencies: ["Multiprocessing"],
            path: "Tests/Service",
            swiftSettings: settings
        ),
        // A program for the tests whose work uses variables of main.swift.
        .executableTarget(
            name: "toplevel",
            dependencies: ["Multiprocessing"],
            path: "Tests/TopLevel",
            swiftSettings: settings
        ),
        // A program for the tests that counts its allocations and system calls.
        .target(name: "CallCounter", path: "Tests/CallCounter"),
        .executableTarget(
            name: "counts",
            dependencies: ["Multiprocessing", "CallCounter"],
            path: "Tests/Counts",
            swiftSettings: settings
        ),
        // A program whose calls stand at the top level of main.swift.
        .executableTarget(
            name: "callers",
            dependencies: ["Multiprocessing"],
            path: "Tests/Callers",
            swiftSettings: settings
        ),
        .target(
            name: "LegacyCaller",
            dependencies: ["Multiprocessing"],
            path: "Tests/LegacyCaller",
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        // What the tests of several targets are written with.
        .target(
            name: "TestSupport",
            dependencies: ["Multiprocessing", "MultiprocessingSystem"],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "IsolationTests",
            dependencies: ["Multiprocessing", "LegacyCaller"],
            swiftSettings: settings + [.defaultIsolation(MainActor.self)]
        ),
        .testTarget(
            name: "MultiprocessingSystemTests",
            dependencies: ["MultiprocessingSystem"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MultiprocessingCodingTests",
            dependencies: ["MultiprocessingCoding"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MultiprocessingRuntimeTests",
            dependencies: ["MultiprocessingRuntime"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MultiprocessingTests",
            dependencies: [
                "Multiprocessing", "MultiprocessingCoding", "MultiprocessingRuntime", "MultiprocessingSystem",
                "TestSupport",
                "probe", "counts", "service", "toplevel",
            ],
            swiftSettings: settings
        ),
        // Apart from the rest of the pool's tests, so that the optimizer has two modules to work on and not one.
        .testTarget(
            name: "PoolTests",
            dependencies: [
                "Multiprocessing", "MultiprocessingCoding", "MultiprocessingRuntime", "MultiprocessingSystem",
                "TestSupport",
                "probe", "callers", "captures",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SharingTests",
            dependencies: ["Multiprocessing", "MultiprocessingCoding", "MultiprocessingSystem", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ActorTests",
            dependencies: ["Multiprocessing", "MultiprocessingCoding", "MultiprocessingSystem", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ExamplesTests",
            dependencies: [
                "Multiprocessing", "quickstart", "wordcount", "survive", "pipeline", "registry", "registry-client",
                "tour",
                "benchmarks",
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
