import Schema

/// A command as ArgumentParser declares it.
struct CommandDeclaration: Hashable {
  /// With those of the commands above it: `runbook lab up`.
  let path: String
  let abstract: String
  let discussion: String
  let arguments: [Argument]
  /// The one that is meant where none is named.
  let defaultSubcommand: String?
  private let subcommands: [CommandDeclaration]

  init(_ json: JSON, under parent: String? = nil) {
    let path = [parent, json["commandName"]?.string].compactMap(\.self).joined(separator: " ")
    self.path = path
    abstract = json["abstract"]?.string ?? ""
    discussion = json["discussion"]?.string ?? ""
    arguments = (json["arguments"]?.array ?? []).map(Argument.init)
    defaultSubcommand = json["defaultSubcommand"]?.string
    subcommands = (json["subcommands"]?.array ?? []).filter { $0["shouldDisplay"] != false }
      .map { CommandDeclaration($0, under: path) }
  }

  /// Those that do something, in the order of their declaration; what a group of them has to say comes before its own.
  var leaves: [CommandDeclaration] {
    subcommands.flatMap { $0.subcommands.isEmpty ? [$0] : [$0] + $0.leaves }
  }

  /// How it is called, its options in brief.
  func synopsis(without common: [Argument]) -> String {
    let own = arguments.filter { $0.isDisplayed && !common.contains($0) }
    let options = own.contains { !$0.isPositional } ? ["[\\fIoptions\\fR]"] : []
    let group = subcommands.isEmpty ? [] : ["\\fIcommand\\fR"]
    return
      (["\\fB\(Roff.literal(path))\\fR"] + options + group + own.filter(\.isPositional).map(\.synopsis))
      .joined(separator: " ")
  }

  /// An argument, option or flag.
  struct Argument: Hashable {
    let isDisplayed: Bool
    let isPositional: Bool
    private let isFlag: Bool
    private let isOptional: Bool
    private let isRepeating: Bool
    private let followsTerminator: Bool
    private let names: [String]
    private let valueName: String
    private let abstract: String
    private let fallback: String?

    init(_ json: JSON) {
      isDisplayed = json["shouldDisplay"] != false
      isPositional = json["kind"] == "positional"
      isFlag = json["kind"] == "flag"
      isOptional = json["isOptional"] == true
      isRepeating = json["isRepeating"] == true
      followsTerminator = json["parsingStrategy"] == "postTerminator"
      names = (json["names"]?.array ?? []).map { name in
        (name["kind"] == "long" ? "--" : "-") + (name["name"]?.string ?? "")
      }
      valueName = json["valueName"]?.string ?? ""
      abstract = [json["abstract"]?.string, json["discussion"]?.string].compactMap(\.self).joined(separator: " ")
      fallback = json["defaultValue"]?.string
    }

    /// What it is for, and what it is if it is not given.
    ///
    /// - Parameter others: all of the command: ArgumentParser gives both flags of a pair the text of the first.
    func meaning(among others: [Argument]) -> String {
      if isFlag, let name = names.first, name.hasPrefix("--no-") {
        let opposite = "--" + name.dropFirst("--no-".count)
        if others.contains(where: { $0.names.contains(opposite) }) { return "The opposite of `\(opposite)`." }
      }
      return [abstract, fallback.map { "Default: \($0)." } ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Its names in bold and its value in italics, as the head of its entry.
    var roff: String {
      guard !isPositional else { return value }
      let names = names.map { "\\fB\(Roff.literal($0))\\fR" }.joined(separator: ", ")
      return isFlag ? names : "\(names) \(value)"
    }

    /// As it stands in the call of its command.
    var synopsis: String {
      let value = (followsTerminator ? "\\fB\\-\\-\\fR " : "") + value + (isRepeating ? " ..." : "")
      return isOptional ? "[\(value)]" : value
    }

    private var value: String { "\\fI\(Roff.literal(valueName))\\fR" }
  }
}
