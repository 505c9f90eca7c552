// swift-tools-version: 6.2

// What `.ci/run` builds for the thread sanitizer: the library, and the tests of what several threads change at once,
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
            name: "SanitizedTests",
            dependencies: [
                "Multiprocessing", "MultiprocessingCoding", "MultiprocessingSystem", "TestSupport",
            ],
            path: "Tests/MultiprocessingTests",
            exclude: ["Scheduling/StartTests.swift"],
            sources: [
                "Containment/Notebook.swift", "Containment/Step.swift", "Containment/Crash.swift",
                "Containment/Grandchild.swift", "Future", "Scheduling", "Work/StrideClaimsTests.swift",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SanitizedExecutorTests",
            dependencies: ["Multiprocessing", "MultiprocessingSystem", "TestSupport"],
            path: "Tests/ActorTests",
            sources: ["ExecutorTests.swift"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
