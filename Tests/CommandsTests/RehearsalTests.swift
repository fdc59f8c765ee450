import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

/// The runbook `rehearse-upgrade` of this repository as a whole: two programs, one backup.
@Suite(.enabled(if: DrillCase.isPermitted)) struct RehearsalTests {
  /// Rehearses the upgrade to the installed program with other options, which calls itself another version.
  private func rehearse(_ version: String, _ options: String = "") async throws -> (DrillCase, DrillCase.Drilled) {
    let drill = try await DrillCase()
    try drill.backUp()
    try drill.host.write(
      "#!/bin/sh\n[ \"$1\" = --version ] && echo \(version) && exit\nexec /usr/bin/turnserver \"$@\" \(options)\n",
      to: "bin/turnserver", mode: 0o755)
    let program = "binary=\(drill.host.path)/bin/turnserver"
    return (drill, try await drill.drill("-p", program, runbook: "rehearse-upgrade"))
  }

  @Test("Another program is booted beside the installed one, and what it does differently is told")
  func rehearsal() async throws {
    let (drill, run) = try await rehearse("4.17.1", "--realm elsewhere.example")
    let found = run.report.step("differences")
    #expect(found?["error"]?["code"] == "drill.behavesDifferently", "\(run.output.stdout)")
    let facts =
      found?["output"]?["differences"]?.array?.map { "\($0["probe"]?.string ?? "") \($0["fact"]?.string ?? "")" } ?? []
    #expect(facts.contains("turn.allocate outcome"), "\(facts)")
    #expect(found?["output"]?["closed"]?.array?.isEmpty == false)
    expectAllTold(run)
    let same = try await drill.drill("-p", "binary=/usr/bin/turnserver", runbook: "rehearse-upgrade")
    #expect(same.outcome("differences") == "pass", "\(same.report.step("differences") ?? .null)")
  }

  /// That the report's words name each difference and each advisory.
  private func expectAllTold(_ run: DrillCase.Drilled) {
    let (output, words) = (run.report.step("differences")?["output"], run.message("differences"))
    for difference in output?["differences"]?.array ?? [] {
      for name in ["probe", "before", "after"] {
        let text = difference[name]?.string ?? "no text"
        #expect(words.contains(text), "\(text) is not in: \(words)")
      }
    }
    for advisory in (output?["closed"]?.array ?? []) + (output?["opened"]?.array ?? []) {
      #expect(words.contains(advisory.string ?? "no text"), "\(advisory) is not in: \(words)")
    }
  }

  @Test("A peer that the other program relays to is told by its name, with what becomes of it and nothing else")
  func peer() async throws {
    let (_, run) = try await rehearse("4.17.2", "--allowed-peer-ip=10.0.0.0-10.255.255.255")
    #expect(run.code("differences") == "drill.behavesDifferently", "\(run.output)")
    let differences = run.report.step("differences")?["output"]?["differences"]?.array ?? []
    let peer = differences.first { $0["fact"] == "peers private10" }
    #expect(peer?["before"]?.string?.hasPrefix("permitted false") == true, "\(differences)")
    #expect(peer?["after"]?.string?.hasPrefix("permitted true") == true, "\(differences)")
    #expect(!differences.contains { $0["fact"] == "peers private172" }, "\(differences)")
    expectAllTold(run)
  }

  @Test("Another version that does the same and closes advisories is a warning that names them")
  func closes() async throws {
    let (_, run) = try await rehearse("4.17.2")
    #expect(run.output.status == 0 && run.outcome("differences") == "warn", "\(run.output)")
    #expect(run.code("differences") == "drill.closesAdvisories", "\(run.output)")
    #expect(run.report.step("differences")?["output"]?["closed"]?.array?.isEmpty == false, "\(run.output)")
    expectAllTold(run)
  }

  @Test("An option that the other program does not know is told, and not the end of its help")
  func unknownOption() async throws {
    let (_, run) = try await rehearse("4.17.2", "--no-such-option")
    #expect(run.code("next") == "drill.serverEnded", "\(run.output)")
    let advice = run.report.step("next")?["error"]?["advice"]?.string ?? ""
    #expect(advice.contains("unrecognized option '--no-such-option'"), "\(advice)")
  }

  @Test("The server of an image's root is booted with its own libraries, and what it does differently is told")
  func rehearsalOfImage() async throws {
    let drill = try await DrillCase()
    try drill.backUp()
    let image = "\(drill.host.path)/image"
    try FileManager.default.createDirectory(atPath: image, withIntermediateDirectories: true)
    try ImageRoot.make(at: image)
    rename("\(image)/usr/bin/turnserver", "\(image)/usr/bin/turnserver.real")
    try drill.host.write(
      "#!/bin/sh\n[ \"$1\" = --version ] && echo 4.17.1 && exit\nexec turnserver.real \"$@\" --realm elsewhere.example\n",
      to: "image/usr/bin/turnserver", mode: 0o755)
    let run = try await drill.drill("-p", "image=\(image)", runbook: "rehearse-upgrade")
    #expect(run.report.step("now")?["output"]?["version"] == "4.6.1", "\(run.output)")
    #expect(run.report.step("next")?["output"]?["version"] == "4.17.1", "\(run.output)")
    let root = run.report.step("next")?["output"]?["root"]?.string ?? ""
    #expect(root.hasSuffix("/run/image"), "\(root)")
    #expect(["pass", "warn", "fail"].contains(run.outcome("audit")), "\(run.output)")
    #expect(run.code("differences") == "drill.behavesDifferently", "\(run.output)")
    #expect(run.message("differences").contains("elsewhere.example"), "\(run.message("differences"))")
    let none = try await drill.drill(runbook: "rehearse-upgrade")
    #expect(none.output.status == 1 && none.report.text().contains("Give the other program"), "\(none.output)")
    #expect(none.outcome("other") == "fail" && [nil, "skipped"].contains(none.outcome("now")), "\(none.output)")
  }
}
