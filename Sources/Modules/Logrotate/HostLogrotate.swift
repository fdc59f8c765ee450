import Coturn
import Glibc
package import Journal
import Processes
import Schema
package import Steps

/// Who rotates a log, and whether the server goes on writing into it.
package struct HostLogrotate: StepModule {
  package struct Input: Hashable, Sendable {
    package var path: String
    package var configuration: String
    package var user: String?
    package var version: String?
  }

  package struct Output: Hashable, Sendable {
    package var path: String
    package var rotatedBy: String?
    package var method: RotationMethod
    package var writers: [String]
    package var scheduled: Bool
  }

  package static let declaration = ModuleDeclaration(
    "host.logrotate", "Who rotates a log, and whether the server goes on writing into it afterwards.",
    discussion: """
      It reads logrotate's configuration as logrotate does, and fails if no section covers the log, if two do (the second is
      passed over), if logrotate would refuse the section, or if nothing makes the server open its log again.

      `systemctl reload coturn || true` does nothing and says nothing: the unit has no ExecReload. SIGHUP makes coturn open its
      log, and ends version 4.6.3. `copytruncate` needs a server that appends: another one leaves NUL bytes at the head. A
      server that has a rotated file open is told in any case: it writes where nobody looks.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("path", \.path, .path, "The log, by its whole path."),
      Field("configuration", \.configuration, .path, default: "/etc/logrotate.conf", "The file that logrotate reads."),
      Field("user", \.user, .optional(.string), "The user that the server runs as: a name, or UID, or UID:GID."),
      Field("version", \.version, .optional(.string), "The version of coturn, such as 4.6.3.")
    ),
    output: Record(
      Output.init,
      Field("path", \.path, .path, "The log."),
      Field("rotatedBy", \.rotatedBy, .optional(.path), "The file with the section that covers it."),
      Field("method", \.method, .enumeration(RotationMethod.self), "How the server gets to know of it."),
      Field("writers", \.writers, .list(.string), "The processes that have the log, or what was made of it, open."),
      Field("scheduled", \.scheduled, .bool, "Whether logrotate is installed, and something starts it every day.")
    ),
    examples: [
      .init(
        "The server's log is rotated, and it writes on", with: "path: /var/log/turnserver.log\nuser: turnserver",
        expect: ["output.scheduled"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard let version = input.version, CoturnVersion(version) == nil else { return nil }
    return Finding("host.versionInvalid", "\"\(version)\" is no version", advice: "Write it as in 4.6.3.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let account = try input.user.map { (text) throws(StepError) in try FileUser(text) }
    let rules = try RotationRules(input.configuration)
    let covering = rules.rules.filter { $0.covers(input.path) }
    let path = input.path
    let (writers, areSomeHidden) = await onBlockingThread { LogWriter.all(of: path) }
    let method = covering.first.map { rule in
      RotationMethod(rule) { UnitFiles(ProcessChoice.unitName($0)).values(of: "ExecReload") }
    }
    let isScheduled =
      access("/usr/sbin/logrotate", X_OK) == 0
      && (access("/etc/cron.daily/logrotate", X_OK) == 0 || UnitFiles("logrotate.timer").isEnabled)
    let output = Output(
      path: input.path, rotatedBy: covering.first?.file, method: method ?? .none,
      writers: writers.map { "\($0.process): \($0.path)" }, scheduled: isScheduled)
    if let finding = Finding.joined(try Self.failures(input, rules, covering, method, writers, account)) {
      return .failed(output, finding)
    }
    let unseen = areSomeHidden && writers.isEmpty ? Self.unseen(path) : nil
    let warnings = [Self.warning(method, writers, isScheduled), unseen].compactMap(\.self)
    return Finding.joined(warnings).map { .warned(output, $0) } ?? .done(output)
  }

  private static func unseen(_ path: String) -> Finding {
    Finding(
      "host.logWritersHidden",
      "this user may not see whether a process of others writes into \(path), or into a file that was made of it",
      advice: "Run this as root.")
  }

  private static func failures(
    _ input: Input, _ rules: RotationRules, _ covering: [RotationRule], _ method: RotationMethod?,
    _ writers: [LogWriter], _ account: FileUser?
  ) throws(StepError) -> [Finding] {
    var findings: [Finding] = []
    if let writer = writers.first(where: { $0.path != input.path }) {
      findings.append(
        Finding(
          "host.logWriterElsewhere", "\(writer.process) writes into \(writer.path), and not into \(input.path).",
          advice: "It was not told that its log was rotated: make it open the log (coturn: SIGHUP, but not 4.6.3), "
            + "then mend the rotation."))
    }
    guard let rule = covering.first, let method else {
      findings.append(
        Finding(
          "host.logNotRotated", "No section of \(input.configuration) covers \(input.path): it grows without end.",
          advice: "Add a file in /etc/logrotate.d that names it."))
      return findings
    }
    if covering.count > 1 {
      findings.append(
        Finding(
          "host.rotatedTwice",
          "\(input.path) is covered by \(covering.map(\.file).joined(separator: " and ")): logrotate passes over the later.",
          advice: "Keep one section for each log."))
    }
    if let refusal = rules.refused.first(where: { $0.file == rule.file }) {
      findings.append(
        Finding(
          "host.rotationRefused", "logrotate does not read \(rule.file): \(refusal.reason).",
          advice: "chmod 0644 \(rule.file)"))
    }
    findings += folderFinding(input.path, rule)
    findings += try creationFinding(input, rule, account)
    findings += methodFinding(input, rule, method)
    return findings
  }

  /// logrotate works as root only in folders that root alone can change.
  private static func folderFinding(_ path: String, _ rule: RotationRule) -> [Finding] {
    guard rule.directives["su"] == nil, let slash = path.lastIndex(of: "/") else { return [] }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    var status = stat()
    guard stat(folder, &status) == 0 else { return [] }
    let isOpen = status.st_mode & S_IWOTH != 0 || (status.st_mode & S_IWGRP != 0 && status.st_gid != 0)
    guard isOpen else { return [] }
    return [
      Finding(
        "host.rotationRefused",
        "logrotate refuses the log: others than root may change \(folder) (mode \(FileStatus.octal(status.st_mode))), and the section names no user.",
        advice: "Add `su USER GROUP` with the user of the server.")
    ]
  }

  /// The new file must be one that the server may write.
  private static func creationFinding(
    _ input: Input, _ rule: RotationRule, _ account: FileUser?
  ) throws(StepError) -> [Finding] {
    let words = rule.directives["create"]?.split(separator: " ").map(String.init) ?? []
    guard let account, words.count == 3, let mode = mode_t(words[0], radix: 8) else { return [] }
    let owner = try FileUser(words[1])
    let group = getgrnam(words[2]).map { $0.pointee.gr_gid } ?? gid_t(words[2]) ?? gid_t.max
    let created = FileStatus(
      path: input.path, owner: owner.user ?? 0, group: group, mode: S_IFREG | mode, accessList: nil)
    guard !account.may(2, created) else { return [] }
    return [
      Finding(
        "host.rotationUnwritable",
        "After a rotation \(input.user ?? "") may not write \(input.path): the section makes it with `create \(words.joined(separator: " "))`.",
        advice: "Let it be made for the user of the server.")
    ]
  }

  private static func methodFinding(_ input: Input, _ rule: RotationRule, _ method: RotationMethod) -> [Finding] {
    switch method {
    case .none:
      [
        Finding(
          "host.rotationLosesLog",
          "Nothing tells the server that \(input.path) was rotated: it goes on writing into the old file.",
          advice: "Let a postrotate script send it SIGHUP (not 4.6.3), or use copytruncate.")
      ]
    case .failingReload:
      [
        Finding(
          "host.rotationReloadFails",
          "\(rule.file) reloads a unit that has no ExecReload: nothing happens, and the server goes on writing into the old file.",
          advice: "Send the signal itself: systemctl kill --signal=HUP --kill-whom=main coturn (not 4.6.3).")
      ]
    case .otherSignal:
      [
        Finding(
          "host.rotationOtherSignal", "\(rule.file) sends the server a signal at which it does not open its log.",
          advice: "SIGHUP opens the log; SIGUSR1 drains or ends coturn, SIGUSR2 reads the certificates, TERM ends it.")
      ]
    case .hangup where input.version.flatMap { CoturnVersion($0) } == CoturnVersion(4, 6, 3):
      [
        Finding(
          "host.rotationEndsServer", "\(rule.file) sends SIGHUP, which ends coturn 4.6.3 at each rotation.",
          advice: "Use copytruncate, or another version.")
      ]
    default: []
    }
  }

  private static func warning(
    _ method: RotationMethod?, _ writers: [LogWriter], _ isScheduled: Bool
  ) -> Finding? {
    if method == .copytruncate, let writer = writers.first(where: { !$0.isAppending }) {
      return Finding(
        "host.rotationLeavesNULs", "\(writer.process) does not append: after each cut its log begins with NUL bytes",
        advice: "Rotate by SIGHUP instead (not 4.6.3), or let the server log to the journal.")
    }
    if method == .restart {
      return Finding(
        "host.rotationRestarts", "the server is restarted at each rotation, and drops all calls",
        advice: "Send it SIGHUP (not 4.6.3), or use copytruncate.")
    }
    guard !isScheduled else { return nil }
    return Finding(
      "host.rotationNotScheduled", "logrotate is not installed, or nothing starts it every day",
      advice: "apt-get install logrotate; its timer is logrotate.timer.")
  }
}
