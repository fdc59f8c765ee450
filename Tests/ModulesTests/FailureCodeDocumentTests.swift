import Foundation
import Modules
import Steps
import Testing

/// The codes in `docs/probes.md`, against those that stand in the sources.
@Suite struct FailureCodeDocumentTests {
  private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test("docs/probes.md says what every code means with which a probe can fail")
  func codes() throws {
    let document = try String(
      contentsOf: Self.repository.appending(path: "docs/probes.md"), encoding: .utf8)
    let codes = try ["Probe", "Modules/STUN", "Modules/TLS", "Modules/TURN"].reduce(into: Set<String>()) {
      $0.formUnion(try self.codes(in: "Sources/\($1)"))
    }.subtracting(Catalog.standard.modules.map(\.name))
    try #require(codes.isSuperset(of: ["icmp.portUnreachable", "turn.realmMismatch", "turn.notExpired"]))
    #expect(codes.filter { !document.contains("`\($0)`") } == [])
  }

  @Test("No code is a module's name: each module is spelled once, where it is declared")
  func modules() throws {
    let literals = try codes(in: "Sources/Probe") + codes(in: "Sources/Modules")
    let names = Catalog.standard.modules.map(\.name).filter { $0.contains(/^(stun|turn|tls)\./) }
    try #require(!names.isEmpty)
    #expect(names.filter { name in literals.count { $0 == name } != 1 } == [])
  }

  @Test("A module spells no code that a probe has a constant for")
  func constants() throws {
    let constants = try codes(in: "Sources/Probe/Failures")
    try #require(constants.contains("turn.nothingRelayed"))
    #expect(Set(try codes(in: "Sources/Modules")).intersection(constants) == [])
  }

  private func codes(in folder: String) throws -> [String] {
    let files = FileManager.default.enumerator(
      at: Self.repository.appending(path: folder), includingPropertiesForKeys: nil)
    var codes: [String] = []
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      codes += text.matches(of: /"((?:dns|icmp|path|probe|stun|tcp|tls|transport|turn|udp)\.[A-Za-z]+)"/).map {
        String($0.1)
      }
    }
    return codes
  }
}
