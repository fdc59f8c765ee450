import Foundation
import Testing

/// A fault of the compiler around which the sources are written: a call with typed throws is awaited in a statement of its
/// own, and the tuple or enum case is built from its value afterwards.
@Suite struct MiscompileTests {
  /// The version in which the fault was found.
  private static let faulty = "6.3.1"

  private static let isFaultyOrNewer: Bool = {
    guard let text = try? run(["swiftc", "--version"]), let version = text.firstMatch(of: /Swift version ([0-9.]+)/)?.1
    else { return true }
    return String(version).compare(faulty, options: .numeric) != .orderedAscending
  }()

  @Test(
    "Swift still loses the rest of a tuple in which a typed throw is awaited",
    .enabled(if: isFaultyOrNewer, "the fault is not known of compilers before \(faulty)"))
  func typedThrowInTuple() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let source = root.appending(path: "Fixtures/compiler/typed-throw-in-tuple.swift").path
    let program = FileManager.default.temporaryDirectory.appending(path: "typed-throw-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: program) }
    _ = try Self.run(["swiftc", "-O", source, "-o", program])
    let kept = try #require(Int(try Self.run([program]).trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(
      kept < 40,
      """
      This compiler no longer miscompiles: remove the workaround in Sources/Probe/Probes/TLSHandshakeProbe.swift, and this \
      test.
      """)
  }

  /// What a command prints. Throws if it fails.
  private static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(command)")
    return String(decoding: data, as: UTF8.self)
  }
}
