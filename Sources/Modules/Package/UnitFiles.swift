import Glibc
import Processes

/// The files of a systemd unit, as systemd finds them (systemd.unit(5)); no manager needs to run.
struct UnitFiles {
  private let root: String
  let name: String
  private static let folders = [
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system",
  ]

  /// - Parameter root: where the system lies that is looked at; empty for this one.
  init(_ name: String, root: String = "") {
    self.root = root
    self.name = name
  }

  /// The unit's own file; nil if there is none.
  private var path: String? {
    Self.folders.map { "\(root)\($0)/\(name)" }.first { access($0, F_OK) == 0 || isLink($0) }
  }

  var exists: Bool { path != nil }
  var isMasked: Bool { path.flatMap(linkTarget) == "/dev/null" }

  /// Whether it is started with the system: something wants or requires it.
  var isEnabled: Bool {
    guard !isMasked else { return false }
    return Self.folders.prefix(2).contains { folder in
      namesInFolder("\(root)\(folder)").contains { name in
        (name.hasSuffix(".wants") || name.hasSuffix(".requires")) && isLink("\(root)\(folder)/\(name)/\(self.name)")
      }
    }
  }

  /// The values of a key over the unit's file and what is dropped in beside it; an empty value takes back those before.
  func values(of key: String) -> [String] {
    let dropIns = Self.folders.reversed().flatMap { folder in
      namesInFolder("\(root)\(folder)/\(name).d").filter { $0.hasSuffix(".conf") }.sorted()
        .map { "\(root)\(folder)/\(name).d/\($0)" }
    }
    var values: [String] = []
    for path in [path].compactMap(\.self) + dropIns {
      for line in ((try? ProcFile.text(path)) ?? "").split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].filter({ !$0.isWhitespace }) == key else { continue }
        let value = parts[1].trimmingPrefix { $0.isWhitespace }.description
        values = value.isEmpty ? [] : values + [value]
      }
    }
    return values
  }

  private func isLink(_ path: String) -> Bool { linkTarget(path) != nil }
}
