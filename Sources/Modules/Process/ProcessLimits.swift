import Glibc
import Processes
import Schema
import Steps

/// What the kernel lets a running process have (getrlimit(2)), by the names of limits.conf(5).
struct ProcessLimits: Hashable {
  struct Limit: Hashable, Sendable {
    /// Nil for no limit.
    var soft: Int?
    var hard: Int?
  }

  private(set) var limits: [String: Limit] = [:]

  /// Labels of `/proc/PID/limits`, and the names by which people set them.
  private static let names: [(label: String, name: String)] = [
    ("Max cpu time", "cpu"), ("Max file size", "fsize"), ("Max data size", "data"), ("Max stack size", "stack"),
    ("Max core file size", "core"), ("Max resident set", "rss"), ("Max processes", "nproc"),
    ("Max open files", "nofile"), ("Max locked memory", "memlock"), ("Max address space", "as"),
    ("Max file locks", "locks"), ("Max pending signals", "sigpending"), ("Max msgqueue size", "msgqueue"),
    ("Max nice priority", "nice"), ("Max realtime priority", "rtprio"), ("Max realtime timeout", "rttime"),
  ]

  static let allNames = names.map(\.name)

  subscript(_ name: String) -> Limit? { limits[name] }

  /// Nil if the process ended meanwhile.
  init?(of process: ProcessFacts) throws(StepError) {
    guard let bytes = readSmallFile("\(process.folder)/limits") else {
      guard [EACCES, EPERM].contains(errno) else { return nil }
      throw .broken(
        "process.hidden", "this user may not see the limits of \(process.title)",
        advice: "Run this as root, or as the user of the service.")
    }
    self.init(String(decoding: bytes, as: UTF8.self))
    // The kernel gives nothing for a process that has just ended.
    guard !limits.isEmpty else { return nil }
  }

  /// Reads lines such as `Max open files            1024                 524288               files`.
  init(_ text: String) {
    for line in text.split(separator: "\n") {
      guard let (label, name) = Self.names.first(where: { line.hasPrefix($0.label + " ") }) else { continue }
      let words = line.dropFirst(label.count).split(separator: " ")
      guard words.count >= 2 else { continue }
      limits[name] = Limit(soft: Int(words[0]), hard: Int(words[1]))
    }
  }
}
