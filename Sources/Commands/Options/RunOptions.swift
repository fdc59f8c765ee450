import ArgumentParser
import Glibc

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

  /// Writes a report: into a file whole or not at all, into a device or pipe as it is.
  ///
  /// Throws `CommandFailure` where it cannot be written.
  func write(_ text: String) throws {
    let isFile = isFileOrMissing
    let aside = isFile ? "\(path).\(getpid())" : path
    let flags = isFile ? O_WRONLY | O_CREAT | O_EXCL : O_WRONLY | O_TRUNC
    let file = open(aside, flags | O_CLOEXEC, 0o644)
    var isWritten = file >= 0 && writeWhole(Array(text.utf8), to: file)
    var reason = errno
    if file >= 0, close(file) != 0, isWritten { (isWritten, reason) = (false, errno) }
    if isFile, isWritten, rename(aside, path) != 0 { (isWritten, reason) = (false, errno) }
    guard !isWritten else { return }
    if isFile { unlink(aside) }
    let message = "the report cannot be written to \(path): \(String(cString: strerror(reason)))"
    throw CommandFailure(.error, message, isAfterOutput: true)
  }

  /// False for what must not be replaced by a file: a device, a pipe, a link.
  private var isFileOrMissing: Bool {
    var status = stat()
    return lstat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
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

  /// Throws `ValidationError` where a name is given two values: neither is the one that was meant for sure.
  static func refuseRepetition(in given: [GivenParameter]) throws {
    var names: Set<String> = []
    for parameter in given where !names.insert(parameter.name).inserted {
      throw ValidationError("-p \(parameter.name) is given more than once")
    }
  }
}
