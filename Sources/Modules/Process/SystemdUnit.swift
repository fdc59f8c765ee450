import Files

/// An enabled unit of systemd that starts a service by the same command: systemd would not know of one that somebody else starts.
struct SystemdUnit: Hashable, Sendable {
  let name: String

  private static let folders = [
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system",
  ]

  /// Nil if there is none, or if systemd does not run this host (sd_booted(3)).
  ///
  /// - Parameters:
  ///   - program: its path.
  ///   - arguments: all of them must be among the unit's.
  ///   - root: before the paths of systemd.
  init?(starting program: String, _ arguments: [String], root: String = "") {
    guard Folder.exists("\(root)/run/systemd/system") else { return nil }
    let program = (try? resolvedPath(program)) ?? program
    for name in Self.enabledServices(root) {
      guard let text = Self.text(of: name, root) else { continue }
      for words in Self.startCommands(text) {
        guard let path = words.first, ((try? resolvedPath(path)) ?? path) == program,
          Set(arguments).isSubset(of: words.dropFirst())
        else { continue }
        self.name = name
        return
      }
    }
    return nil
  }

  /// Those that a target or another unit wants.
  private static func enabledServices(_ root: String) -> [String] {
    var found: Set<String> = []
    for folder in ["\(root)/etc/systemd/system", "\(root)/run/systemd/system"] {
      for name in (try? Folder.names(in: folder)) ?? [] where name.hasSuffix(".wants") || name.hasSuffix(".requires") {
        found.formUnion(((try? Folder.names(in: "\(folder)/\(name)")) ?? []).filter { $0.hasSuffix(".service") })
      }
    }
    return found.sorted()
  }

  /// The unit's file and what is added to it, in systemd's order.
  private static func text(of name: String, _ root: String) -> String? {
    var text = ""
    for folder in folders.map({ root + $0 }) {
      guard let content = try? File.read("\(folder)/\(name)", limit: 1 << 16) else { continue }
      text = String(decoding: content.bytes, as: UTF8.self)
      break
    }
    for folder in folders.map({ "\(root)\($0)/\(name).d" }) {
      for file in ((try? Folder.names(in: folder)) ?? []).sorted() where file.hasSuffix(".conf") {
        guard let content = try? File.read("\(folder)/\(file)", limit: 1 << 16) else { continue }
        text += "\n" + String(decoding: content.bytes, as: UTF8.self)
      }
    }
    return text.isEmpty ? nil : text
  }

  /// The words of each `ExecStart` (systemd.service(5)), without the signs before the program. An empty one takes back those before it.
  private static func startCommands(_ text: String) -> [[String]] {
    var commands: [[String]] = []
    for line in text.replacing("\\\n", with: " ").split(separator: "\n") where line.hasPrefix("ExecStart=") {
      let words = line.dropFirst("ExecStart=".count).split(whereSeparator: \.isWhitespace).map(String.init)
      if words.isEmpty { commands = [] }
      guard let first = words.first else { continue }
      commands.append([String(first.drop { "@-:+!|".contains($0) })] + words.dropFirst())
    }
    return commands
  }
}
