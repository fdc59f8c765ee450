internal import Schema

/// The argument vector of a program as it is written, and what a shell would make of its elements.
struct ArgumentVector {
  let words: [Word]

  struct Word {
    /// As written, `${…}` included; empty for what is no text.
    var text: String
    var range: SourceRange

    var hasExpression: Bool { text.contains("${") }

    /// The name of a program without its folder.
    fileprivate var program: String { hasExpression ? "" : String(text.split(separator: "/").last ?? "") }
    fileprivate var isOption: Bool { text.hasPrefix("-") && text.count > 1 }
  }

  init(_ sequence: YAMLNode.Sequence) {
    words = sequence.elements.map { node in
      if case .scalar(let scalar) = node {
        Word(text: scalar.text, range: scalar.range)
      } else {
        Word(text: "", range: node.range)
      }
    }
  }

  /// The name of the program without its folder; empty if it is not known.
  var program: String { words.first?.program ?? "" }

  /// The elements that a shell parses: the script behind `-c` of a shell, also if another program starts that shell, and
  /// what `ssh` and `watch` hand over.
  var parsedByShell: Set<Int> { parsed(from: 0) }

  private static let shells: Set = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "oksh", "rbash", "csh", "tcsh", "fish", "yash", "posh",
  ]
  /// Programs that hand what stands behind `-c` or `--command` to a shell.
  private static let commandTakers: Set = ["su", "runuser", "script", "flock"]
  /// Programs that join their arguments and hand them to a shell.
  private static let joiners: Set = ["watch", "parallel"]
  /// Programs that start the program that their arguments name.
  private static let starters: Set = [
    "env", "sudo", "doas", "timeout", "nice", "ionice", "nohup", "setsid", "stdbuf", "time", "xargs", "chroot",
    "nsenter",
    "unshare", "ip", "docker", "podman", "nerdctl", "docker-compose", "kubectl", "lxc", "incus", "machinectl",
    "systemd-run",
    "chrt", "taskset", "find", "strace", "prlimit", "setpriv", "gosu", "su-exec", "tini", "unbuffer", "busybox",
    "script",
    "su", "runuser", "flock", "faketime", "sshpass", "chpst", "runcon", "mosh",
  ]

  private func parsed(from start: Int) -> Set<Int> {
    guard start < words.count else { return [] }
    let program = words[start].program
    if Self.shells.contains(program) { return script(behind: start) }
    if program == "ssh" { return remoteWords(behind: start) }
    if Self.joiners.contains(program) { return Set((start + 1)..<words.count) }
    var found = Self.commandTakers.contains(program) ? commands(behind: start) : []
    // `env -S` takes a text apart as a shell would.
    if program == "env", let split = words.indices.dropFirst(start + 1).first(where: { words[$0].text == "-S" }) {
      found.insert(split + 1)
    }
    if Self.starters.contains(program) {
      // Options of these programs may take values, so that the program inside is found by its name.
      let inner = words.indices.dropFirst(start + 1).first { index in
        let name = words[index].program
        return Self.shells.contains(name) || Self.joiners.contains(name) || Self.commandTakers.contains(name)
          || name == "ssh"
      }
      if let inner { found.formUnion(parsed(from: inner)) }
    }
    return found
  }

  /// The script of `sh -c SCRIPT`: the first argument that is no option, where a cluster of options has a `c`.
  private func script(behind start: Int) -> Set<Int> {
    var takesScript = false
    var index = start + 1
    while index < words.count {
      let text = words[index].text
      if text == "--" {
        index += 1
        break
      }
      guard !words[index].hasExpression, text.count > 1, text.hasPrefix("-") || text.hasPrefix("+") else { break }
      if text.hasPrefix("--") {
        if text == "--rcfile" || text == "--init-file" { index += 1 }
      } else {
        if text.hasPrefix("-"), text.contains("c") { takesScript = true }
        // `-o` takes the next word, in a cluster too.
        if text.contains(where: { $0 == "o" || $0 == "O" }) { index += 1 }
      }
      index += 1
    }
    return takesScript && index < words.count ? [index] : []
  }

  /// What stands behind `-c`, and in `--command=…`.
  private func commands(behind start: Int) -> Set<Int> {
    var found: Set<Int> = []
    for index in words.indices.dropFirst(start + 1) {
      let text = words[index].text
      if text.hasPrefix("--command=") || text.hasPrefix("--session-command=") { found.insert(index) }
      let isCluster = text.hasPrefix("-") && !text.hasPrefix("--") && text.hasSuffix("c")
      guard isCluster || text == "--command" || text == "--session-command", index + 1 < words.count else { continue }
      found.insert(index + 1)
    }
    return found
  }

  /// The words behind the host of `ssh`.
  private func remoteWords(behind start: Int) -> Set<Int> {
    var index = start + 1
    while index < words.count, words[index].isOption, words[index].text != "--" {
      // Those that take a value, which may stand in the next word.
      if let last = words[index].text.last, words[index].text.count == 2, "BbcDEeFIiJLlmOopPQRSWw".contains(last) {
        index += 1
      }
      index += 1
    }
    if index < words.count, words[index].text == "--" { index += 1 }
    return index + 1 < words.count ? Set((index + 1)..<words.count) : []
  }

  /// How the value of an expression gets to a script without becoming part of it.
  func advice(for index: Int) -> String {
    let kinds =
      "give it a type that can hold none: int, double, bool, duration, bytesize, port, ip, cidr, host, enum(…)"
    guard !words.prefix(index).contains(where: { $0.program == "ssh" }), !Self.joiners.contains(program) else {
      return kinds
    }
    let text = words[index].text
    let expression = text.firstRange(of: "${").map { text[$0.lowerBound...] } ?? "${…}"
    let end = expression.firstIndex(of: "}") ?? expression.index(before: expression.endIndex)
    return "pass it as an argument of the script: [sh, -c, 'echo \"$1\"', sh, \"\(expression[...end])\"]; or \(kinds)"
  }
}

extension FieldDeclaration {
  /// True for a field that holds a script for a shell, into which nothing is put.
  var isScript: Bool { name == "script" && type == .string }

  /// True for a field that holds a program and its arguments.
  var isArgumentVector: Bool { name == "command" && type == .list(.string) }
}
