import FoundationEssentials
import Journal
import Language
package import Schema

/// Problems of documents as SARIF 2.1.0 (OASIS), which code hosts and editors read.
package struct SARIFLog {
  private let root: String
  private let workingFolder: String
  private let issues: [Issue]

  /// - Parameters:
  ///   - root: the project's folder.
  ///   - workingFolder: what relative names of files that were given on the command line are relative to.
  package init(root: String, workingFolder: String, issues: [Issue]) {
    self.root = root
    self.workingFolder = workingFolder
    self.issues = issues
  }

  /// The name of the folder that the paths of results are relative to (SARIF, section 3.14.14).
  private static let base = "SRCROOT"

  /// A log file with one run.
  package var json: JSON {
    let codes = Set(issues.map(\.code)).sorted()
    let top = Self.repository(of: root) ?? root
    var seen: [String: Int] = [:]
    let results = issues.map { issue in
      let identity = "\(issue.range.file)\0\(issue.code)\0\(issue.message)"
      seen[identity, default: 0] += 1
      let fingerprint = sha256Hex("\(identity)\0\(seen[identity] ?? 0)".utf8).prefix(32)
      return result(issue, codes.firstIndex(of: issue.code) ?? 0, below: top, fingerprint: String(fingerprint))
    }
    return [
      "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
      "version": "2.1.0",
      "runs": [
        [
          "tool": [
            "driver": [
              "name": "runbook", "version": .string(runbookVersion), "semanticVersion": .string(runbookVersion),
              "rules": .array(rules(codes)),
            ]
          ],
          "invocations": [
            ["executionSuccessful": true, "exitCode": .int(issues.contains { $0.severity == .error } ? 2 : 0)]
          ],
          "originalUriBaseIds": .object([.init(Self.base, ["uri": .string(Self.folderURI(top))])]),
          "columnKind": "unicodeCodePoints",
          "results": .array(results),
        ]
      ],
    ]
  }

  /// The nearest folder upwards that git knows: code hosts take paths from there.
  private static func repository(of root: String) -> String? {
    var folder = root
    while !folder.isEmpty {
      if FileManager.default.fileExists(atPath: "\(folder)/.git") { return folder }
      guard let slash = folder.lastIndex(of: "/") else { return nil }
      folder = String(folder[..<slash])
    }
    return nil
  }

  // MARK: Rules

  private func rules(_ codes: [String]) -> [JSON] {
    let document = DiagnosticRules()
    return codes.map { code in
      let rules = document.rules(of: code)
      let words = code.replacing("-", with: " ")
      let heading = rules.lazy.compactMap(\.heading).first ?? words.prefix(1).uppercased() + words.dropFirst()
      let markdown = rules.isEmpty ? "\(heading)." : rules.map(\.text).joined(separator: "\n\n")
      let plain = markdown.replacing("**", with: "").replacing("`", with: "")
      let isError = issues.contains { $0.code == code && $0.severity == .error }
      return [
        "id": .string(code),
        "shortDescription": ["text": .string("\(heading).")],
        "fullDescription": ["text": .string(plain)],
        "help": ["text": .string(plain), "markdown": .string(markdown)],
        "defaultConfiguration": ["level": isError ? "error" : "warning"],
        "properties": ["tags": ["runbook"]],
      ]
    }
  }

  // MARK: Results

  private func result(_ issue: Issue, _ rule: Int, below top: String, fingerprint: String) -> JSON {
    let place = Location(issue.range, root: root, workingFolder: workingFolder)
    var location: [JSON.Member] = [
      .init(
        "physicalLocation",
        [
          "artifactLocation": Self.location(of: place.path, below: top),
          "region": place.isDocument ? Self.region(issue.range) : ["startLine": 1],
        ])
    ]
    if !place.isDocument { location.append(.init("logicalLocations", [["name": .string(issue.range.file)]])) }
    var members: [JSON.Member] = [
      .init("ruleId", .string(issue.code)), .init("ruleIndex", .int(Int64(rule))),
      .init("level", .string(issue.severity.rawValue)),
      .init("message", ["text": .string(issue.message + (issue.suggestion.map { ". Help: \($0)" } ?? ""))]),
      .init("locations", [.object(location)]),
      .init("partialFingerprints", ["runbookProblem/v1": .string(fingerprint)]),
    ]
    if place.isDocument, let name = replacement(issue, in: place.path) {
      members.append(.init("fixes", [fix(issue, name, in: Self.location(of: place.path, below: top))]))
    }
    return .object(members)
  }

  /// Where a problem is: in a file, or in what was given on the command line or in the environment (`$TURN_SERVER`,
  /// `--target`), which the project's own file stands for.
  private struct Location {
    /// Absolute.
    let path: String
    let isDocument: Bool

    init(_ range: SourceRange, root: String, workingFolder: String) {
      let candidates =
        range.file.hasPrefix("/") ? [range.file] : ["\(root)/\(range.file)", "\(workingFolder)/\(range.file)"]
      // A file that is missing is a problem too: its name says where it should be.
      let isName = !range.file.hasPrefix("$") && !range.file.hasPrefix("-")
      isDocument = isName
      path =
        isName
        ? candidates.first { FileManager.default.fileExists(atPath: $0) } ?? candidates[0] : "\(root)/runbook.yaml"
    }
  }

  private static func location(of path: String, below top: String) -> JSON {
    guard path.hasPrefix(top + "/") else { return ["uri": .string("file://" + path.percentEncodedPath)] }
    return ["uri": .string(String(path.dropFirst(top.count + 1)).percentEncodedPath), "uriBaseId": .string(base)]
  }

  private static func folderURI(_ folder: String) -> String {
    "file://" + folder.percentEncodedPath + (folder.hasSuffix("/") ? "" : "/")
  }

  private static func region(_ range: SourceRange) -> JSON {
    [
      "startLine": .int(Int64(range.line)), "startColumn": .int(Int64(range.column)),
      "endLine": .int(Int64(range.line)), "endColumn": .int(Int64(range.endColumn)),
    ]
  }

  // MARK: Fixes

  /// The name that is meant, if exactly a mistyped name stands at the problem's place; nil for every other one: what is put
  /// into a document unread must be all that was wrong.
  private func replacement(_ issue: Issue, in path: String) -> String? {
    guard let name = issue.meant, let bytes = FileManager.default.contents(atPath: path)
    else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).unicodeScalars.split(
      separator: "\n", omittingEmptySubsequences: false)
    guard issue.range.line <= lines.count else { return nil }
    let line = Array(lines[issue.range.line - 1])
    guard issue.range.endColumn - 1 <= line.count else { return nil }
    let text = String(String.UnicodeScalarView(line[(issue.range.column - 1)..<(issue.range.endColumn - 1)]))
    return nearName(to: text, among: [name]) == nil ? nil : name
  }

  private func fix(_ issue: Issue, _ name: String, in location: JSON) -> JSON {
    [
      "description": ["text": .string("Write \(name)")],
      "artifactChanges": [
        [
          "artifactLocation": location,
          "replacements": [
            ["deletedRegion": Self.region(issue.range), "insertedContent": ["text": .string(name)]]
          ],
        ]
      ],
    ]
  }
}
