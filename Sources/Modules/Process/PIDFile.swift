import Glibc
import Journal
import Processes
import Schema
import Steps

/// A file in which a service writes its process's number.
struct PIDFile {
  let pid: pid_t
  /// How long ago it was written.
  let age: Duration

  /// Throws `failed` if there is none, or it holds no number of a process; `broken` if it may not be read.
  init(_ path: String) throws(StepError) {
    // A pipe in its place must not hold us up.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let number = errno
      guard number != ENOENT else {
        throw .failed(
          "process.pidFileMissing", "there is no PID file \(path)",
          advice: "Either the service does not run, or it writes the file elsewhere (coturn: `pidfile`).")
      }
      throw .broken(
        "host.pathUnreadable", "\(path) cannot be read: \(String(errorNumber: number))",
        advice: "Run this as a user who may read it.")
    }
    defer { close(descriptor) }
    var status = stat()
    var bytes = [UInt8](repeating: 0, count: 64)
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Self.unusable(path, "is no file")
    }
    let count = read(descriptor, &bytes, bytes.count)
    let line = bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
    let text = String(decoding: line, as: UTF8.self).filter { !$0.isWhitespace }
    guard let pid = pid_t(text), pid > 0, text.first != "+" else {
      throw Self.unusable(path, text.isEmpty ? "is empty" : "holds no number of a process in its first line")
    }
    if let process = ProcessFacts.process(ofThread: pid), process != pid {
      throw Self.unusable(path, "holds \(pid), which is a thread of process \(process)")
    }
    self.pid = pid
    let now = Moment.now().wall
    let written = status.st_mtim
    age =
      Timestamp(seconds: Int64(written.tv_sec), nanoseconds: Int32(written.tv_nsec)).map { now.duration(since: $0) }
      ?? .zero
  }

  private static func unusable(_ path: String, _ what: String) -> StepError {
    .failed(
      "process.pidFileUnusable", "the PID file \(path) \(what)",
      advice: "Look at who writes it, and restart the service.")
  }

  /// Whether a process is younger than the file that names it: then the number was another process's when the file was written.
  func isOlder(than process: ProcessFacts) -> Bool { age > process.age + .seconds(2) }
}
