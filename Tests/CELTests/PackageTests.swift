import Foundation
import Testing

/// CEL as others take it.
@Suite("The library, from a package of its own") struct PackageTests {
  @Test("A package of five lines that depends on it builds, and evaluates an expression")
  func dependency() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runbook-cel-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(
      at: folder.appending(path: "Sources/app"), withIntermediateDirectories: true)
    let root = CELDocumentTests.root.resolvingSymlinksInPath()
    let product = ".product(name: \"CEL\", package: \"\(root.lastPathComponent)\")"
    try """
    // swift-tools-version: 6.2
    import PackageDescription
    let package = Package(name: "app", dependencies: [.package(path: "\(root.path)")], targets: [
      .executableTarget(name: "app", dependencies: [\(product)])
    ])
    """.write(to: folder.appending(path: "Package.swift"), atomically: true, encoding: .utf8)
    try """
    import CEL
    let program = try CELEnvironment().compile("lists.range(4).filter(x, x % 2 == 1)")
    print(try program.evaluate().json())
    """.write(to: folder.appending(path: "Sources/app/main.swift"), atomically: true, encoding: .utf8)
    let process = Process()
    let (output, problems) = (Pipe(), folder.appending(path: "problems"))
    try Data().write(to: problems)
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["swift", "run", "--package-path", folder.path]
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: problems)
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    let log = try String(contentsOf: problems, encoding: .utf8)
    #expect(process.terminationStatus == 0, "\(log)")
    #expect(text == "[1,3]\n")
  }
}
