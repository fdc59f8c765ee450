import Files
import Glibc
import Processes
import Schema
import Steps

/// A section of logrotate's configuration (logrotate.conf(5)), with what holds for all sections.
struct RotationRule: Hashable {
  /// The file that it stands in.
  let file: String
  var patterns: [String]
  /// Directives with their arguments; those that take something back are not among them.
  var directives: [String: String]
  /// Scripts by the word that begins them.
  var scripts: [String: String] = [:]

  func covers(_ path: String) -> Bool {
    patterns.contains { fnmatch($0, path, FNM_PATHNAME | FNM_PERIOD) == 0 }
  }
}

/// All sections that a configuration and the files it includes hold.
struct RotationRules {
  private(set) var rules: [RotationRule] = []
  private var global: [String: String] = [:]
  /// Names of files that an include of a folder passes over, as patterns.
  private var taboo = [
    "*,v", "*.bak", "*.cfsaved", "*.disabled", "*.dpkg-bak", "*.dpkg-del", "*.dpkg-dist", "*.dpkg-new", "*.dpkg-old",
    "*.dpkg-tmp", "*.rhn-cfg-tmp-*", "*.rpmnew", "*.rpmorig", "*.rpmsave", "*.swp", "*.ucf-dist", "*.ucf-new",
    "*.ucf-old", "*~",
  ]
  /// Files that logrotate refuses to read, with the reason.
  private(set) var refused: [(file: String, reason: String)] = []

  private static let opposites = [
    "nocopytruncate": "copytruncate", "nocreate": "create", "nocopy": "copy", "nosharedscripts": "sharedscripts",
    "nocompress": "compress", "create": "nocreate",
  ]
  private static let scriptWords: Set<String> = ["prerotate", "postrotate", "firstaction", "lastaction", "preremove"]

  /// Throws `broken` if the file cannot be read.
  init(_ path: String) throws(StepError) { try read(path, depth: 0) }

  private mutating func read(_ path: String, depth: Int) throws(StepError) {
    var status = stat()
    // logrotate passes over what others than root could have written.
    if stat(path, &status) == 0, status.st_mode & 0o022 != 0 {
      refused.append((path, "others than its owner may write it (mode \(FileStatus.octal(status.st_mode)))"))
    }
    var section: RotationRule?
    var pending: [String] = []
    var script: (word: String, lines: [String])?
    for line in try Self.text(path).split(separator: "\n", omittingEmptySubsequences: false) {
      var words = Self.words(String(line))
      if let open = script {
        guard words.first != "endscript" else {
          section?.scripts[open.word] = open.lines.joined(separator: "\n")
          script = nil
          continue
        }
        script?.lines.append(String(line))
        continue
      }
      while let word = words.first {
        if word == "{" {
          section = RotationRule(file: path, patterns: pending, directives: global)
          (pending, words) = ([], Array(words.dropFirst()))
        } else if word == "}" {
          if let section { rules.append(section) }
          (section, words) = (nil, Array(words.dropFirst()))
        } else if section == nil, word.hasPrefix("/") || !pending.isEmpty {
          pending.append(word)
          words.removeFirst()
        } else {
          // A directive takes the rest of its line, but for a bracket that ends the section.
          let end = words.firstIndex(of: "}") ?? words.count
          let arguments = Array(words[1..<max(1, end)])
          words.removeFirst(max(1, end))
          if Self.scriptWords.contains(word) {
            script = (word, [])
          } else if word == "tabooext" || word == "taboopat", section == nil {
            setTaboo(arguments, areEndings: word == "tabooext")
          } else if word == "include", section == nil {
            if let path = arguments.first, depth < 8 { try include(path, depth: depth + 1) }
          } else {
            set(word, arguments.joined(separator: " "), in: &section)
          }
        }
      }
    }
  }

  private static func text(_ path: String) throws(StepError) -> String {
    do throws(FileError) {
      return String(decoding: try File.read(path, limit: 16 << 20, followingLinks: true).bytes, as: UTF8.self)
    } catch {
      throw .broken(
        "host.rotationConfigUnreadable", "logrotate's configuration \(path) cannot be read: \(error.reason)",
        advice: error.isMissing
          ? "Install logrotate, or say in `configuration` which file it reads."
          : "Let the user that this runs as read it.")
    }
  }

  private mutating func set(_ word: String, _ arguments: String, in section: inout RotationRule?) {
    if section == nil {
      if let opposite = Self.opposites[word] { global[opposite] = nil }
      global[word] = arguments
    } else {
      if let opposite = Self.opposites[word] { section?.directives[opposite] = nil }
      section?.directives[word] = arguments
    }
  }

  /// Adds to the list behind a `+`, else replaces it.
  private mutating func setTaboo(_ arguments: [String], areEndings: Bool) {
    let isAddition = arguments.first == "+"
    let words = arguments.dropFirst(isAddition ? 1 : 0).flatMap { $0.split(separator: ",").map(String.init) }
    taboo = (isAddition ? taboo : []) + words.map { areEndings ? "*\($0)" : $0 }
  }

  private mutating func include(_ path: String, depth: Int) throws(StepError) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else { return try read(path, depth: depth) }
    for name in namesInFolder(path).sorted() where !taboo.contains(where: { fnmatch($0, name, FNM_PERIOD) == 0 }) {
      let file = "\(path)/\(name)"
      guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      try read(file, depth: depth)
    }
  }

  /// Words between blanks, quoted or not, brackets by themselves; none of a comment.
  static func words(_ line: String) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    for character in line {
      if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == "#", word.isEmpty, words.isEmpty {
        return []
      } else if character.isWhitespace || character == "=" || character == "{" || character == "}" {
        if !word.isEmpty { words.append(word) }
        word = ""
        if character == "{" || character == "}" { words.append(String(character)) }
      } else {
        word.append(character)
      }
    }
    return word.isEmpty ? words : words + [word]
  }
}
