import Foundation
import Processes
import Testing

/// The guides of docs/guides/ and docs/first-check.md, done as they are written: files are written, commands run, and what they print is compared.
///
/// A block behind "`PATH`:" is that file. A block of `sh` is run in the folder that the one before it was left in; `fails=N` says with which exit
/// code it ends, `prints=nothing` that it prints nothing. The lines of a crontab are run as cron runs them. `/srv`, `/etc`, `/var` and `/usr/local/bin`
/// are folders of the test's own. A block of `text` is what the command before it printed, or some of its lines: words with digits in them may differ.
@Suite(.serialized) struct GuideTests {
  private static let folder = CommandLineProject.repositoryURL.appending(path: "docs")
  /// Paths below `docs/`.
  static let guides =
    ["first-check.md"]
    + ((try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "guides").path)) ?? [])
    .filter { $0.hasSuffix(".md") }.sorted().map { "guides/\($0)" }

  private struct Block {
    let language: Substring
    let attributes: [Substring]
    var content: String
    /// The file that it is; nil for others.
    let file: String?
    let line: Int

    func with(content: String) -> Block {
      var block = self
      block.content = content
      return block
    }
  }

  private static func blocks(of text: String) -> [Block] {
    var blocks: [Block] = []
    var open: (info: [Substring], line: Int, file: String?)?
    var content: [Substring] = []
    var before: Substring = ""
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(
            Block(
              language: block.info.first ?? "", attributes: Array(block.info.dropFirst()),
              content: content.joined(separator: "\n") + "\n", file: block.file, line: block.line))
          (open, content) = (nil, [])
        } else {
          let words = before.split(separator: "`", omittingEmptySubsequences: false)
          let file = before.hasSuffix("`:") && words.count > 2 ? String(words[words.count - 2]) : nil
          open = (line.dropFirst(3).split(separator: " "), number + 1, file)
        }
      } else if open != nil {
        content.append(line)
      } else if !line.isEmpty {
        before = line
      }
    }
    return blocks
  }

  /// The line as a pattern: blanks are as wide as they like, words with digits are any word.
  private static func pattern(_ line: Substring) -> String {
    line.split(separator: " ").map { word in
      word == "…"
        ? ".*"
        : word.contains(where: \.isNumber) && !word.contains("(") && !word.contains("'")
          ? #"\S+"# : NSRegularExpression.escapedPattern(for: String(word))
    }.joined(separator: #"\s+"#)
  }

  private static func isPrinted(_ expected: String, in output: String) throws -> Bool {
    let lines = output.split(separator: "\n").map(String.init)
    var next = 0
    for line in expected.split(separator: "\n") {
      let expression = try NSRegularExpression(pattern: #"^\s*"# + pattern(line) + #"\s*$"#)
      let rest = lines.indices.dropFirst(next).first { index in
        expression.firstMatch(in: lines[index], range: NSRange(lines[index].startIndex..., in: lines[index])) != nil
      }
      guard let rest else { return false }
      next = rest + 1
    }
    return true
  }

  /// Runs each line of a crontab of /etc/cron.d with the environment and the shell that cron has.
  private func runAsCron(_ text: String, _ place: String, _ project: CommandLineProject) async throws {
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.split(separator: " ", maxSplits: 6)
      guard fields.count == 7 else {
        #expect(line.hasPrefix("MAILTO="), "\(place): \(line)")
        continue
      }
      var command = Command(
        "/usr/bin/env", ["-i", "PATH=/usr/bin:/bin", "HOME=\(project.root)", "/bin/sh", "-c", String(fields[6])])
      command.timeout = .seconds(90)
      let output = project.output(of: try await command.run())
      #expect(output.status == 0, "\(place): \(line)\n\(output.stdout)\(output.stderr)")
      #expect(output.stdout + output.stderr == "", "\(place): cron would mail this")
    }
  }

  @Test("There are guides, and the README links each; the reference of the language begins with the one on checks")
  func linked() throws {
    #expect(Self.guides.count >= 3)
    let readme = try String(contentsOf: CommandLineProject.repositoryURL.appending(path: "README.md"), encoding: .utf8)
    let reference = try String(contentsOf: Self.folder.appending(path: "language.md"), encoding: .utf8)
    #expect(reference.prefix(300).contains("(first-check.md)"))
    for guide in Self.guides { #expect(readme.contains("(docs/\(guide))"), "\(guide)") }
  }

  @Test("Every step of a guide does what the guide says", arguments: guides)
  func guide(name: String) async throws {
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    let project = try CommandLineProject(isEmpty: true)
    try FileManager.default.createDirectory(atPath: "\(project.root)/bin", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(project.root)/bin/runbook", withDestinationPath: CommandLineProject.executable)
    var folder = project.root
    var printed = ""
    var commands = 0
    func here(_ text: String) -> String {
      var text = text.replacing("/usr/local/bin/", with: "\(project.root)/bin/")
      for (folder, start) in [" ", "=", "<"].flatMap({ start in ["/srv", "/etc", "/var"].map { ($0, start) } }) {
        text = text.replacing("\(start)\(folder)/", with: "\(start)\(project.root)\(folder)/")
      }
      return text
    }
    for block in Self.blocks(of: text).map({ $0.with(content: here($0.content)) }) {
      let place = "\(name):\(block.line)"
      if let file = block.file {
        let path = file.hasPrefix("/") ? "\(project.root)\(file)" : "\(folder)/\(file)"
        if block.language == "crontab" { try await runAsCron(block.content, place, project) }
        let url = URL(filePath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        // In place, so that `.env` keeps its mode.
        if let handle = FileHandle(forWritingAtPath: path) {
          try handle.truncate(atOffset: 0)
          try handle.write(contentsOf: Data(block.content.utf8))
          try handle.close()
        } else {
          try Data(block.content.utf8).write(to: url)
        }
        continue
      }
      switch block.language {
      case "sh":
        commands += 1
        let script = "set -eu; exec 2>&1; trap 'pwd >\"$0/folder\"' EXIT\n\(block.content)"
        var command = Command("/bin/sh", ["-c", script, project.root])
        command.environment = [
          "PATH": "\(project.root)/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": project.root,
        ]
        command.directory = folder
        command.timeout = .seconds(90)
        let output = project.output(of: try await command.run())
        let status = block.attributes.first { $0.hasPrefix("fails=") }.flatMap { Int32($0.dropFirst("fails=".count)) }
        try #require(output.status == status ?? 0, "\(place): \(output.status)\n\(output.stdout)")
        if block.attributes.contains("prints=nothing") { #expect(output.stdout == "", "\(place)") }
        printed = output.stdout
        folder = try project.read("folder").split(separator: "\n").first.map(String.init) ?? folder
      case "text":
        #expect(
          try Self.isPrinted(block.content, in: printed),
          "\(place):\n\(block.content)\nis not what was printed:\n\(printed)")
      default:
        Testing.Issue.record("\(place): a block of \"\(block.language)\" is neither a file, nor run, nor compared")
      }
    }
    #expect(commands > 3)
  }
}
