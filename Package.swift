// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "swift-multiprocessing",
    products: [
        .library(name: "Multiprocessing", targets: ["Multiprocessing"])
    ],
    targets: [
        .target(name: "CMultiprocessing"),
        .target(name: "MultiprocessingSystem", dependencies: ["CMultiprocessing"], swiftSettings: settings),
        .target(name: "MultiprocessingCoding", swiftSettings: settings),
        .target(
            name: "Multiprocessing",
            dependencies: ["CMultiprocessing", "MultiprocessingSystem", "MultiprocessingCoding"],
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
            name: "MultiprocessingTests",
            dependencies: ["Multiprocessing", "MultiprocessingCoding", "MultiprocessingSystem", "probe", "counts", "toplevel"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ExamplesTests",
            dependencies: ["Multiprocessing", "quickstart", "wordcount", "survive", "benchmarks"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
