import Glibc
import ArgumentParser

/// Where a report goes, and how it looks.
package enum ReportFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case text
  case json
}

/// `F=FILE`: one more report, into a file.
package struct ReportFile: ExpressibleByArgument, Hashable, Sendable {
  package let format: ReportFormat
  package let path: String

  package init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), let format = ReportFormat(rawValue: String(argument[..<equals]))
    else { return nil }
    path = String(argument[argument.index(after: equals)...])
    guard !path.isEmpty else { return nil }
    self.format = format
  }

  /// Refuses a path whose folder cannot be written to, before anything runs.
  func checkFolder() throws {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard access(folder, W_OK | X_OK) == 0 else {
      throw ValidationError("the report cannot be written to \(path): \(folder): \(String(cString: strerror(errno)))")
    }
  }

  /// Writes a report, whole or not at all.
  ///
  /// Throws `CommandFailure` where it cannot be written.
  func write(_ text: String) throws {
    let aside = "\(path).\(getpid())"
    func failure() -> CommandFailure {
      let reason = String(cString: strerror(errno))
      unlink(aside)
      return CommandFailure(.error, "the report cannot be written to \(path): \(reason)")
    }
    let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure() }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written >= 0 else {
        let error = failure()
        close(file)
        throw error
      }
      rest = rest.dropFirst(written)
    }
    guard close(file) == 0, rename(aside, path) == 0 else { throw failure() }
  }
}

/// `KEY=VALUE`: the value of a parameter, as text.
package struct GivenParameter: ExpressibleByArgument, Hashable, Sendable {
  package let name: String
  package let value: String

  package init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
    name = String(argument[..<equals])
    value = String(argument[argument.index(after: equals)...])
  }
}
