import Glibc
package import Journal
import Schema
package import Steps

/// Owner, group and mode of a file, and what a user may do with it.
package struct FilePermissions: StepModule {
  package struct Input: Hashable, Sendable {
    package var path: String
    package var mode: String?
    package var maxMode: String?
    package var owner: String?
    package var group: String?
    package var user: String?
    package var may: [FileAccess]
    package var mayNot: [FileAccess]
  }

  package struct Output: Hashable, Sendable {
    package var path: String
    package var place: String
    package var kind: FileKind
    package var mode: String
    package var owner: String
    package var group: String
    package var accessList: Bool
    package var may: [FileAccess]
    package var obstacles: [String]
  }

  package static let declaration = ModuleDeclaration(
    "file.permissions", "Owner, group and mode of a file, and what a user may do with it.",
    discussion: """
      Modes are octal, as chmod takes them: `0640`, `640` and `"0640"` are the same. With `user` it looks at the permissions of
      every folder and link on the way, and at access control lists. `maxMode` names the bits that may be set, for a file that
      must not be open to more.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("path", \.path, .path, "The file or folder; links are followed."),
      Field("mode", \.mode, .optional(.string), "The permission bits that it must have, in octal."),
      Field("maxMode", \.maxMode, .optional(.string), "The permission bits that it may have at most, in octal."),
      Field("owner", \.owner, .optional(.string), "The user who must own it, by name or number."),
      Field("group", \.group, .optional(.string), "The group that it must belong to, by name or number."),
      Field("user", \.user, .optional(.string), "The user whose access is looked at: a name, or UID, or UID:GID."),
      Field("may", \.may, .list(.enumeration(FileAccess.self)), default: [], "What the user must be able to do."),
      Field(
        "mayNot", \.mayNot, .list(.enumeration(FileAccess.self)), default: [], "What the user must not be able to do.")
    ),
    output: Record(
      Output.init,
      Field("path", \.path, .path, "The path that was asked for."),
      Field("place", \.place, .path, "Where it lies, without links."),
      Field("kind", \.kind, .enumeration(FileKind.self), "What it is."),
      Field("mode", \.mode, .string, "Its permission bits, in octal with four digits."),
      Field("owner", \.owner, .string, "Its owner: a name, or the number of a user who has none."),
      Field("group", \.group, .string, "Its group: a name, or the number of a group that has none."),
      Field("accessList", \.accessList, .bool, "Whether an access control list says more than the mode."),
      Field("may", \.may, .list(.enumeration(FileAccess.self)), "What the user may do with it; empty without a user."),
      Field("obstacles", \.obstacles, .list(.string), "What keeps the user from the rest.")
    ),
    examples: [
      .init(
        "The configuration holds secrets: only the service reads it",
        with: "path: /etc/turnserver.conf\nmaxMode: 0640\nuser: turnserver\nmay: [read]\nmayNot: [write]")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    for text in [input.mode, input.maxMode].compactMap(\.self) where bits(text) == nil {
      return Finding(
        "file.modeInvalid", "\"\(text)\" is no mode in octal", advice: "Write it as chmod takes it, such as 0640.")
    }
    if input.user == nil, !input.may.isEmpty || !input.mayNot.isEmpty {
      return Finding("file.noUser", "the step says what may be done, but not by whom", advice: "Give `user`.")
    }
    return nil
  }

  private static func bits(_ text: String) -> mode_t? {
    let digits = text.hasPrefix("0o") ? text.dropFirst(2) : text[...]
    guard (1...5).contains(digits.utf8.count), digits.allSatisfy({ ("0"..."7").contains($0) }),
      let bits = mode_t(digits, radix: 8), bits <= 0o7777
    else { return nil }
    return bits
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let account = try input.user.map { (text) throws(StepError) in try FileUser(text) }
    let look = try await FileLook.existing(at: input.path)
    guard let file = look.way.last else { throw .missing(input.path, input.path) }
    let bits = look.status.st_mode & 0o7777
    var output = Output(
      path: input.path, place: look.place, kind: look.kind, mode: FileStatus.octal(bits), owner: file.ownerName,
      group: file.groupName, accessList: file.accessList != nil, may: [], obstacles: [])
    var obstacles: [FileAccess: String] = [:]
    for access in FileAccess.allCases {
      guard let account else { break }
      let isUnwritable = access == .write && look.isReadOnly && [.file, .folder].contains(look.kind)
      if let obstacle = account.obstacle(to: access, on: look.way)
        ?? (isUnwritable ? "its file system is read-only" : nil)
      {
        obstacles[access] = obstacle
      } else {
        output.may.append(access)
      }
    }
    output.obstacles = FileAccess.allCases.compactMap { obstacles[$0] }
    let findings =
      Self.modeFindings(input, bits) + Self.ownerFindings(input, file) + Self.accessFindings(input, output, obstacles)
    if let finding = Finding.joined(findings) { return .failed(output, finding) }
    return .done(output)
  }

  private static func modeFindings(_ input: Input, _ found: mode_t) -> [Finding] {
    var findings: [Finding] = []
    if let wanted = input.mode.flatMap(bits), wanted != found {
      findings.append(
        Finding(
          "file.otherMode",
          "\(input.path) has mode \(FileStatus.octal(found)), and should have \(FileStatus.octal(wanted)).",
          advice: "chmod \(FileStatus.octal(wanted)) \(input.path)"))
    }
    if let most = input.maxMode.flatMap(bits), found & ~most != 0 {
      findings.append(
        Finding(
          "file.modeTooOpen",
          "\(input.path) has mode \(FileStatus.octal(found)), and may have \(FileStatus.octal(most)) at most.",
          advice: "chmod \(FileStatus.octal(found & most)) \(input.path)"))
    }
    return findings
  }

  private static func ownerFindings(_ input: Input, _ file: FileStatus) -> [Finding] {
    var findings: [Finding] = []
    if let owner = input.owner, owner != file.ownerName, owner != "\(file.owner)" {
      findings.append(
        Finding(
          "file.otherOwner", "\(input.path) belongs to \(file.ownerName), and should belong to \(owner).",
          advice: "chown \(owner) \(input.path)"))
    }
    if let group = input.group, group != file.groupName, group != "\(file.group)" {
      findings.append(
        Finding(
          "file.otherGroup", "\(input.path) belongs to the group \(file.groupName), and should belong to \(group).",
          advice: "chgrp \(group) \(input.path)"))
    }
    return findings
  }

  private static func accessFindings(
    _ input: Input, _ output: Output, _ obstacles: [FileAccess: String]
  ) -> [Finding] {
    let user = input.user ?? ""
    let missing = input.may.filter { !output.may.contains($0) }
    let excess = input.mayNot.filter { output.may.contains($0) }
    var findings: [Finding] = []
    if !missing.isEmpty {
      let names = missing.map(\.rawValue).joined(separator: " and ")
      let reason = missing.first.flatMap { obstacles[$0] }.map { ": \($0)" } ?? ""
      findings.append(
        Finding(
          "file.accessDenied", "\(user) cannot \(names) \(input.path)\(reason).",
          advice: "Let the user through with a group on the folder or file, not by opening it to everybody."))
    }
    if !excess.isEmpty {
      let names = excess.map(\.rawValue).joined(separator: " and ")
      findings.append(
        Finding(
          "file.accessOpen", "\(user) can \(names) \(input.path), and should not.",
          advice: "Look at its owner, group and mode: \(output.owner), \(output.group), \(output.mode)."))
    }
    return findings
  }
}
