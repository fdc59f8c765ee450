import Foundation
import Testing

/// `docs/thresholds.md` against the defaults of the checks.
@Suite struct ThresholdDocumentTests {
  private struct Row {
    let figure: String
    let good: String
    let warns: String
    let fails: String
    let inputs: [String]
    let checks: [String]
  }

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: CommandLineProject.repositoryURL.appending(path: path), encoding: .utf8)
  }

  /// The rows of the table whose last columns name inputs and checks.
  private static func rows() throws -> [Row] {
    try text("docs/thresholds.md").split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard cells.count == 8, cells[6].contains("`checks/") else { return nil }
      func names(_ cell: String) -> [String] { cell.matches(of: /`([^`]+)`/).map { String($0.1) } }
      return Row(
        figure: cells[1], good: cells[2], warns: cells[3], fails: cells[4], inputs: names(cells[5]),
        checks: names(cells[6]))
    }
  }

  /// The defaults of a check's inputs, by name, as they are written.
  private static func defaults(of check: String) throws -> [String: String] {
    let pairs = try text("\(check).yaml").matches(of: /(?m)^  (\w+): \{type: [^,]+, default: ([^,}]+)/).map {
      (String($0.1), String($0.2))
    }
    return Dictionary(pairs) { first, _ in first }
  }

  @Test("Each row says what the inputs say that it names, and the good ones end where the others begin")
  func rows() throws {
    let rows = try Self.rows()
    try #require(rows.count >= 20)
    for row in rows {
      for check in row.checks {
        let defaults = try Self.defaults(of: check)
        let values = try row.inputs.map { try #require(defaults[$0], "\(check) has no \($0)") }
        let last = try #require(values.last)
        func names(_ cell: String, _ value: String) -> Bool { cell.split(separator: " ").contains { $0 == value } }
        if values.count == 2 {
          #expect(names(row.warns, values[0]) && names(row.fails, last), "\(row.figure): \(values)")
          #expect(names(row.good, values[0]), "\(row.figure): \(row.good)")
        } else {
          #expect(names(row.good, last), "\(row.figure): \(row.good)")
          #expect([row.warns, row.fails].contains { names($0, last) || $0 == "fewer" }, "\(row.figure)")
        }
      }
    }
  }

  @Test("No threshold of a check is missing")
  func thresholds() throws {
    let rows = try Self.rows()
    let folder = CommandLineProject.repositoryURL.appending(path: "checks")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
    try #require(files.count >= 13)
    let isThreshold = /(?:warn|fail|max|min|slow|tooSlow)[A-Z]?\w*|\w+(?:Warn|Fail)|nofile|nproc|suspiciousFrom/
    for file in files {
      let check = "checks/\(file.dropLast(5))"
      for name in try Self.defaults(of: check).keys where name.wholeMatch(of: isThreshold) != nil {
        #expect(rows.contains { $0.checks.contains(check) && $0.inputs.contains(name) }, "\(check): \(name)")
      }
    }
  }
}
