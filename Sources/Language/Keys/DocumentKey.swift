package import Schema

/// The keys of one kind of mapping in a document, such as those of a step. Each case is the only declaration of a key: the reader
/// (``MappingReader``), the JSON Schema, `runbook show` and the tables of `docs/language.md` read it.
package protocol DocumentKey: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
  /// What the mapping is called in the schema and in the documentation: `step`.
  static var mappingName: String { get }
  /// What to write in place of keys that other tools have, by those keys.
  static var foreign: [String: String] { get }

  var declaration: KeyDeclaration { get }
}

extension DocumentKey {
  package static var foreign: [String: String] { [:] }

  /// The keys that this version supports, in the order of their declaration.
  static var supported: [Self] { allCases.filter(\.declaration.isSupported) }

  /// The key as it is written.
  package var name: String { rawValue }
}

/// What is known of a key.
package struct KeyDeclaration: Sendable {
  package enum Presence: Hashable, Sendable {
    case optional
    case required
    /// Exactly one of the keys of the mapping that are declared so stands there.
    case alternative
  }

  package var value: KeyValue
  /// One or two sentences for the reference and for editors, in Markdown.
  package var summary: String
  package var presence: Presence
  /// Keys of the same mapping without which it makes no sense.
  package var companions: [String] = []
  /// False for a key that the language has and this version does not: refused by name, never silently ignored.
  package var isSupported = true
  /// A value as it may stand behind the key, for editors.
  package var example: JSON?

  package init(
    _ value: KeyValue, _ summary: String, _ presence: Presence = .optional, with companions: [String] = [],
    example: JSON? = nil
  ) {
    self.value = value
    self.summary = summary
    self.presence = presence
    self.companions = companions
    self.example = example
  }

  /// A key that this version refuses.
  static var unsupported: KeyDeclaration { unsupported(.optional) }

  /// A key that this version refuses, and that stands in the place of others.
  static func unsupported(_ presence: Presence) -> KeyDeclaration {
    var declaration = KeyDeclaration(.anything, "", presence)
    declaration.isSupported = false
    return declaration
  }
}

/// How names are written.
package enum NameForm: Hashable, Sendable {
  /// A name that expressions use: `maxRtt`.
  case identifier
  /// The name of a file, or of a target: `daily-health`.
  case hyphenated
}

/// What stands behind a key.
package enum KeyValue: Sendable {
  /// Text for people, in which `${` means nothing.
  case prose
  /// A value without expressions.
  case plain(ValueType)
  /// A value in which `${…}` may stand.
  case template(ValueType)
  /// An expression without braces around it, which gives a value of the type.
  case expression(ValueType)
  /// A name that what it stands in has.
  case name(NameForm)
  /// A type of the language.
  case typeName
  /// A whole number from 1.
  case count
  /// The name of a module, or `checks/NAME`.
  case moduleOrCheck
  /// What the declared type of something else decides.
  case anything
  /// The inputs of what the step uses.
  case inputs
  /// A mapping of these fields.
  case record(RecordType)
  /// A mapping of these keys.
  case mapping(any DocumentKey.Type)
  /// Names, each with a mapping of these keys.
  case named(any DocumentKey.Type, by: NameForm = .identifier)
  /// A list of mappings of these keys, at least one.
  case list(any DocumentKey.Type)
  /// A list of conditions, at least one: each an expression, or a mapping of these keys.
  case conditions(any DocumentKey.Type)

  /// The kind of mapping inside; nil if there is none.
  var keys: (any DocumentKey.Type)? {
    switch self {
    case .mapping(let keys), .named(let keys, _), .list(let keys), .conditions(let keys): keys
    default: nil
    }
  }
}
