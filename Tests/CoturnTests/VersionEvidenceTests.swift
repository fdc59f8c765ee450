import Coturn
import Testing

@Suite("What tells coturn's version")
struct VersionEvidenceTests {
  @Test(
    "is read where it stands",
    arguments: [
      ("software", "Coturn-4.6.1 'Gorst'", "4.6.1"), ("log", "0: : Version Coturn-4.5.1.2 'dan Eider'", "4.5.1.2"),
      ("package", "4.6.1-1+deb12u1", "4.6.1"), ("package", "1:4.5.2-3ubuntu0.1", "4.5.2"), ("software", "None", "none"),
      ("software", "Coturn-", "none"), ("package", "unknown", "none"),
    ])
  func read(_ source: String, _ text: String, _ version: String) throws {
    let source = try #require(VersionEvidence.Source(rawValue: source))
    #expect(VersionEvidence(source, text)?.version.description ?? "none" == version)
  }

  @Test("of a package has what the distribution added")
  func revision() {
    #expect(VersionEvidence(.package, "4.6.1-1+deb12u1")?.revision == "1+deb12u1")
    #expect(VersionEvidence(.package, "4.6.1")?.revision == nil)
    #expect(VersionEvidence(.log, "Coturn-4.6.1")?.revision == nil)
  }

  @Test("is found last in bytes of any kind")
  func name() {
    func name(_ text: String) -> String? { VersionEvidence.name(in: Array(text.utf8)) }
    #expect(name("\0Coturn-4.6.1 'Gorst'\0-x\n") == "Coturn-4.6.1 'Gorst'")
    #expect(
      name("Version Coturn-4.5.2 'dan Eider'\n1: x\nVersion Coturn-4.6.1 'Gorst'\n2: y") == "Coturn-4.6.1 'Gorst'")
    #expect(name("Coturn-x -4 oturn-4.6") == nil)
    #expect(name("Coturn-4.6.1\u{1B}[31m") == "Coturn-4.6.1")
    #expect(name("") == nil && name("-") == nil && name("Coturn-") == nil)
    #expect(name("Coturn-4" + String(repeating: "9", count: 1000))?.count == 67)
  }
}
