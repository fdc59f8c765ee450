import Coturn
import Testing

@Suite("turnserver.conf as coturn reads it")
struct ConfigurationReadingTests {
  private static func lines(_ text: String, _ version: CoturnVersion = .init(4, 6, 1)) -> [String] {
    ConfigurationLine.lines(of: Array(text.utf8), version).map { "\($0.number) \($0.name)=\($0.value)" }
  }

  @Test(
    "takes a name, and all behind it up to the end of the line",
    arguments: [
      ("realm=a", "realm=a"), ("realm a", "realm=a"), ("realm\ta", "realm=a"), ("realm = a", "realm=a"),
      ("  realm==a  ", "realm=a"), ("fingerprint", "fingerprint="), ("realm=\"a b\"", "realm=a b"),
      ("realm=\"a", "realm=a"), ("realm=a # b", "realm=a # b"), ("realm=a\r", "realm=a"), ("realm=a;", "realm=a;"),
      ("realm='a'", "realm='a'"), ("\u{FEFF}realm=a", "\u{FEFF}realm=a"), ("realm=a\u{0}b", "realm=a"),
    ])
  func lines(_ text: String, _ shown: String) {
    #expect(Self.lines(text + "\n") == ["1 \(shown)"])
  }

  @Test(
    "passes over comments, empty lines and what a NUL begins",
    arguments: ["# realm=a", "  #x", "", " \t", "\r", "\u{0}realm=a"])
  func nothing(_ text: String) {
    #expect(Self.lines(text + "\n") == [])
    #expect(Self.lines(text) == [])
  }

  @Test("keeps the blanks behind a value up to 4.5.1.1")
  func blanks() {
    #expect(Self.lines("realm=a \n", .init(4, 5, 1, 1)) == ["1 realm=a "])
    #expect(Self.lines("realm=a \r\n", .init(4, 5, 1, 1)) == ["1 realm=a "])
    #expect(Self.lines("realm=a \n", .init(4, 5, 1, 2)) == ["1 realm=a"])
  }

  @Test("reads 1023 bytes at a time: the rest of a line is a line")
  func longLines() {
    let text = "realm=" + String(repeating: "a", count: 1017) + "no-auth\nverbose\n"
    let lines = ConfigurationLine.lines(of: Array(text.utf8), .init(4, 6, 1))
    #expect(lines.map(\.name) == ["realm", "no-auth", "verbose"])
    #expect(lines.map(\.number) == [1, 1, 2])
    #expect(lines.map(\.isRest) == [false, true, false])
  }

  @Test("knows the options of each version")
  func options() throws {
    func knows(_ name: String, _ version: String) throws -> Bool {
      OptionTable(try #require(CoturnVersion(version)))[name] != nil
    }
    #expect(try knows("no-loopback-peers", "4.5.0.8") && !knows("no-loopback-peers", "4.5.1.0"))
    #expect(try !knows("allow-loopback-peers", "4.5.0.8") && knows("allow-loopback-peers", "4.5.1.0"))
    #expect(try knows("no-tlsv1", "4.6.3") && !knows("no-tlsv1", "4.7.0"))
    #expect(try knows("no-software-attribute", "4.17.1") && knows("no-tlsv1_2", "4.17.1"))
    #expect(try !knows("dtls", "4.16.0") && knows("dtls", "4.17.0"))
    #expect(try knows("no-dtls", "4.5.0") && knows("no-dtls", "4.17.1"))
    #expect(try OptionTable(#require(CoturnVersion("4.10.0")))["no-cli"]?.kind == .ignored)
    #expect(try OptionTable(#require(CoturnVersion("4.9.0")))["no-cli"]?.kind == .flag)
  }

  @Test("has one row for each option of a version")
  func rows() {
    for version in [
      CoturnVersion(4, 5, 0), .init(4, 5, 0, 8), .init(4, 5, 1, 2), .init(4, 6, 1), .init(4, 7), .init(4, 10),
      .newestKnown,
    ] {
      let names = ConfigurationOption.all(in: version).map(\.name)
      #expect(Set(names).count == names.count, "\(version): \(names.filter { name in names.count { $0 == name } > 1 })")
    }
  }
}
