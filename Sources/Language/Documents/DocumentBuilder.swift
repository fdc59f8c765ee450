internal import Schema

/// Makes a tree of the events of one document, and reports what the language does not have.
struct DocumentBuilder {
  private let source: SourceText
  private let log: IssueLog
  private var open: [Collection] = []
  private var root: YAMLNode?
  private var lastScalar: YAMLNode.Scalar?

  /// A mapping or list whose end has not come yet.
  private struct Collection {
    var start: YAMLEvents.YAMLEvent
    var isMapping: Bool
    /// Set where the whole was refused; what it holds is read for its problems only.
    var isRefused: Bool
    var elements: [YAMLNode] = []
    var entries: [YAMLNode.Mapping.Entry] = []
    var keys: [String: Int] = [:]
    var pending: Key?

    enum Key {
      case named(YAMLNode.Scalar)
      case refused
    }
  }

  /// How much of a line a suggestion repeats.
  private static let mostShown = 120

  init(source: SourceText, log: IssueLog) {
    self.source = source
    self.log = log
  }

  /// The root of the one document in the text; nil if there is none that can be relied on.
  mutating func document(_ bytes: ArraySlice<UInt8>) -> YAMLNode? {
    let before = log.issues.count
    var events = YAMLEvents(bytes)
    var documents = 0
    do throws(YAMLEvents.Failure) {
      while log.issues.count - before < Document.maximumIssues {
        let event = try events.next()
        switch event.kind {
        case .streamEnd:
          if documents == 0 {
            log.error(
              "empty-document", "the file is empty", at: source.range(0, 1),
              suggestion: "begin with \"runbook: NAME\", \"check: NAME\" or, in runbook.yaml, \"project: NAME\"")
          }
          return log.holdsInvisibleCharacter(since: before) ? nil : root
        case .documentStart(let hasDirectives):
          documents += 1
          guard documents == 1 else {
            log.error(
              "second-document", "a file holds one document; here a second one begins", at: range(event),
              suggestion: "put each into a file of its own")
            return root
          }
          if hasDirectives {
            log.error(
              "directive", "YAML directives are not part of the language", at: range(event),
              suggestion: "remove the line")
          }
        default:
          guard handle(event) else { return nil }
        }
      }
      let end = SourceRange(file: source.file, line: source.lineCount, column: 1)
      log.error(
        "too-many-problems", "the file has more than \(Document.maximumIssues) problems of form", at: end,
        suggestion: "mend these first")
    } catch {
      // A blank that is none was reported where it stands, and explains the rest.
      guard !log.holdsInvisibleCharacter(since: before) else { return nil }
      log.report(error.issue(in: source, bytes: bytes, behind: lastScalar))
    }
    return nil
  }

  private func range(_ event: YAMLEvents.YAMLEvent) -> SourceRange { source.range(event.start, event.end) }

  /// False if there is no sense in reading on.
  private mutating func handle(_ event: YAMLEvents.YAMLEvent) -> Bool {
    switch event.kind {
    case .scalar(let text, let style):
      let scalar = YAMLNode.Scalar(text: text, style: style, start: event.start, end: event.end, source: source)
      lastScalar = scalar
      reportForeignBlank(in: scalar)
      add(refusal(of: event, text: text) ?? .scalar(scalar))
    case .alias(let name):
      log.error(
        "alias", "aliases (*\(name)) are not part of the language", at: range(event),
        suggestion: "write the value out; text that begins with * needs quotes")
      add(.refused(range(event)))
    case .sequenceStart, .mappingStart:
      guard open.count < Document.maximumDepth else {
        log.report(Document.tooDeep(at: range(event)))
        return false
      }
      let isMapping = if case .mappingStart = event.kind { true } else { false }
      open.append(Collection(start: event, isMapping: isMapping, isRefused: refusal(of: event, text: "") != nil))
    case .sequenceEnd, .mappingEnd:
      if let collection = open.popLast() { add(finished(collection, at: event.end)) }
    case .streamStart, .streamEnd, .documentStart, .documentEnd:
      break
    }
    return true
  }

  private func finished(_ collection: Collection, at end: Int) -> YAMLNode {
    let range = source.range(collection.start.start, end)
    if collection.isRefused { return .refused(range) }
    return collection.isMapping
      ? .mapping(YAMLNode.Mapping(entries: collection.entries, range: range))
      : .sequence(YAMLNode.Sequence(elements: collection.elements, range: range))
  }

  private mutating func add(_ node: YAMLNode) {
    guard var collection = open.popLast() else {
      root = node
      return
    }
    defer { open.append(collection) }
    guard collection.isMapping else {
      collection.elements.append(node)
      return
    }
    guard let key = collection.pending else {
      collection.pending = .some(self.key(node, in: &collection))
      return
    }
    collection.pending = nil
    if case .named(let name) = key { collection.entries.append(.init(key: name, value: node)) }
  }

  /// Reports a blank that YAML takes for a letter at an end of a text without quotes, or behind its `-` or `:`.
  private func reportForeignBlank(in scalar: YAMLNode.Scalar) {
    guard scalar.style == .plain, scalar.start < scalar.end, scalar.end <= source.scalars.count else { return }
    let written = source.scalars[scalar.start..<scalar.end]
    let isKey = open.last.map { $0.isMapping && $0.pending == nil } ?? false
    let place = written.indices.first { index in
      guard written[index].isForeignBlank else { return false }
      let before = index > written.startIndex ? written[index - 1] : " "
      return isKey || index == written.startIndex || index == written.endIndex - 1 || before == ":"
        || (before == "-" && index == written.startIndex + 1)
    }
    if let place { log.report(foreignBlankIssue(source.scalars[place], at: place, in: source)) }
  }

  /// What stands in `{{ target }}`, as templates of other languages write it; nil if the key is something else.
  private func doublyBraced(_ key: YAMLNode, in collection: Collection) -> String? {
    guard case .mapping(let mapping) = key, mapping.entries.count == 1, mapping.entries[0].value.isMissingScalar,
      source.scalars[collection.start.start...].starts(with: ["{", "{"])
    else { return nil }
    return mapping.entries[0].key.text
  }

  private func key(_ node: YAMLNode, in collection: inout Collection) -> Collection.Key {
    guard case .scalar(let key) = node else {
      if case .refused = node { return .refused }
      if let inner = doublyBraced(node, in: collection) {
        collection.isRefused = true
        var place = node.range
        (place.column, place.endColumn) = (place.column - 1, place.endColumn + 1)
        log.error(
          "key-not-text", "YAML reads {{ }} as mappings here, not as an expression", at: place,
          suggestion: "write \"${\(inner)}\", in quotes")
        return .refused
      }
      log.error(
        "key-not-text", "a key is text; here it is \(node.kind)", at: node.range,
        suggestion: "a value that begins with { or [ needs quotes")
      return .refused
    }
    if key.text == "<<", key.style == .plain {
      log.error(
        "merge-key", "merge keys (<<) are not part of the language", at: key.range, suggestion: "write the keys out")
      return .refused
    }
    if let first = collection.keys[key.text] {
      log.error(
        "duplicate-key", "\"\(key.text)\" stands here twice; first in line \(first)", at: key.range,
        suggestion: "remove one of them")
      return .refused
    }
    collection.keys[key.text] = key.range.line
    return .named(key)
  }

  /// What stands for a node with an anchor or a tag, after reporting it; nil for a node with neither.
  private func refusal(of event: YAMLEvents.YAMLEvent, text: String) -> YAMLNode? {
    guard event.anchor != nil || event.tag != nil else { return nil }
    let line = source.scalars(ofLine: source.line(at: event.start))
    let start = min(max(event.start, line.startIndex), line.endIndex)
    let written = String(String.UnicodeScalarView(line[start...].prefix(Self.mostShown)))
    let name = written.prefix { !$0.isWhitespace }
    let place = source.range(event.start, event.start + name.unicodeScalars.count)
    if let anchor = event.anchor {
      log.error(
        "anchor", "anchors (&\(anchor)) are not part of the language", at: place,
        suggestion: "text that begins with & needs quotes")
    }
    if let tag = event.tag {
      let value = written.firstRange(of: " #").map { written[..<$0.lowerBound] } ?? written[...]
      log.error(
        "tag", "YAML reads \(name) as a tag, and tags are not part of the language", at: place,
        suggestion: tag.hasPrefix("!") ? "an expression that begins with ! needs quotes: \(quoted(value))" : nil)
    }
    return .refused(range(event))
  }
}

/// The text as a quoted scalar of YAML, for suggestions.
func quoted(_ text: some StringProtocol) -> String {
  var text = String(text)
  while text.last?.isWhitespace == true { text.removeLast() }
  if !text.contains("\""), !text.contains("\\") { return "\"\(text)\"" }
  return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
}

extension IssueLog {
  /// True if a blank that is none was reported: what it does to the document is no problem of its own.
  fileprivate func holdsInvisibleCharacter(since start: Int) -> Bool {
    issues.dropFirst(start).contains { $0.code == "invisible-character" }
  }
}
