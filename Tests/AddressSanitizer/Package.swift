// swift-tools-version: 6.2

// What `.ci/run` builds for the address sanitizer: the targets that read and write memory by address, and their tests,
// and so no second build of everything. The script puts this file beside links to the folders of the repository.

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "swift-multiprocessing",
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
        .target(
            name: "TestSupport",
            dependencies: ["Multiprocessing", "MultiprocessingSystem"],
            path: "Tests/TestSupport",
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
            name: "ChannelTests",
            dependencies: ["Multiprocessing", "MultiprocessingCoding", "MultiprocessingSystem", "TestSupport"],
            path: "Tests/MultiprocessingTests",
            sources: ["Channel"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
