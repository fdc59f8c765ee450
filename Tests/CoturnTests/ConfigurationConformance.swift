import Coturn
import FoundationEssentials
import Testing

/// turnserver.conf files as people post them, each with what an audit must find and must not report. They lie beside the project, or
/// in the folder that `RUNBOOK_TURNSERVER_CONFS` names.
@Suite("A posted turnserver.conf")
struct ConfigurationConformance {
  static let environmentVariables = ProcessInfo.processInfo.environment

  static let folder: String =
    environmentVariables["RUNBOOK_TURNSERVER_CONFS"]
    ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/conformance/turnserver-confs").path

  static let cases: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/expected.json") }.sorted()
  }()

  @Test(
    "is there to be audited",
    .enabled(if: !cases.isEmpty || environmentVariables["CI"] != nil, "no cases in \(folder)"))
  func theCasesAreThere() {
    #expect(!Self.cases.isEmpty, "no cases in \(Self.folder)")
  }

  @Test("shows what is wrong with it, and nothing that is right", arguments: cases)
  func isRight(_ name: String) throws {
    let files = URL(filePath: Self.folder).appending(path: name)
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: files.appending(path: "expected.json")))
    let version = try #require(CoturnVersion(expected.version))
    let audit = try ConfigurationAudit([UInt8](Data(contentsOf: files.appending(path: "turnserver.conf"))), version)
    for finding in expected.findings {
      #expect(
        audit.findings.contains {
          !$0.ifNotBackported && $0.item.description == finding.item.text && $0.line == finding.line
        }, "item \(finding.item.text), line \(finding.line.map(String.init) ?? "none") is missing")
    }
    for advisory in expected.ifNotBackported {
      #expect(
        audit.findings.contains { $0.ifNotBackported && $0.item.description == advisory.item.text },
        "item \(advisory.item.text), if not backported, is missing")
    }
    for alarm in expected.mustNotReport {
      #expect(
        !audit.findings.contains { $0.item.description == alarm.item.text },
        "item \(alarm.item.text) is a false alarm")
    }
  }
}

private struct Expected: Decodable {
  struct Entry: Decodable {
    let item: Item
    let line: Int?
  }

  /// A number, or a word.
  struct Item: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        text = String(number)
      } else {
        text = try container.decode(String.self)
      }
    }
  }

  let version: String
  let findings: [Entry]
  let ifNotBackported: [Entry]
  let mustNotReport: [Entry]
}
