import CEL
import Foundation

/// Counts the cases of the conformance suite, and those that pass; its folder is named by `RUNBOOK_CEL_CONFORMANCE`.
enum Conformance {
  static func count() -> (passed: Int, all: Int) {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<6 { root.deleteLastPathComponent() }
    let folder =
      ProcessInfo.processInfo.environment["RUNBOOK_CEL_CONFORMANCE"]
      ?? root.appendingPathComponent("shared/conformance/cel").path
    var passed = 0
    var all = 0
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasSuffix(".json") {
      let data = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
      guard let cases = try? JSONDecoder().decode([ConformanceCase].self, from: data) else { continue }
      all += cases.count
      passed += cases.count { $0.failure() == nil }
    }
    return (passed, all)
  }
}
