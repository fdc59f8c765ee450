internal import CYaml

/// What libYAML's parser meets in a text, one event at a time: a pull parser without recursion, so that no nesting can
/// exhaust the stack, and aliases are seen before anything is made from them.
///
/// Yams shows only whole trees, in which aliases are resolved and ends of nodes are forgotten; hence the C interface that
/// it is built on.
struct YAMLEvents: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: UnsafeMutableBufferPointer<UInt8>

  struct YAMLEvent {
    var kind: Kind
    /// Indices of scalars in the text.
    var start: Int
    var end: Int
    var anchor: String?
    var tag: String?
  }

  enum Kind {
    case streamStart
    case streamEnd
    case documentStart(hasDirectives: Bool)
    case documentEnd
    case alias(String)
    case scalar(String, YAMLNode.Scalar.ScalarStyle)
    case sequenceStart
    case sequenceEnd
    case mappingStart
    case mappingEnd
  }

  /// Why a text is not YAML.
  struct Failure: Error {
    /// What libYAML was doing (`while parsing a block mapping`), and what it found.
    var context: String?
    var problem: String
    /// Index of the scalar where that began; nil if it is not known.
    var contextIndex: Int?
    /// Index of a scalar, or of a byte where the text could not be read as characters.
    var index: Int
    var isByteIndex: Bool
  }

  init(_ bytes: some Collection<UInt8>) {
    text = .allocate(capacity: max(bytes.count, 1))
    _ = unsafe text.initialize(from: bytes)
    parser = .allocate(capacity: 1)
    unsafe parser.initialize(to: yaml_parser_t())
    unsafe yaml_parser_initialize(parser)
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// The next event; never called again after `streamEnd` or an error.
  mutating func next() throws(Failure) -> YAMLEvent {
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure }
    defer { unsafe yaml_event_delete(&event) }
    return unsafe YAMLEvent(event)
  }

  private var failure: Failure {
    let state = unsafe parser.pointee
    let problem = unsafe state.problem.map { unsafe String(cString: $0) } ?? "not enough memory"
    let isByteIndex = unsafe state.error == YAML_READER_ERROR
    return unsafe Failure(
      context: state.context.map { unsafe String(cString: $0) }, problem: problem,
      contextIndex: state.context == nil ? nil : state.context_mark.index,
      index: isByteIndex ? state.problem_offset : state.problem_mark.index, isByteIndex: isByteIndex)
  }
}

extension YAMLEvents.YAMLEvent {
  fileprivate init(_ event: yaml_event_t) {
    start = unsafe event.start_mark.index
    end = unsafe event.end_mark.index
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT: kind = .streamStart
    case YAML_DOCUMENT_START_EVENT:
      let document = unsafe event.data.document_start
      kind = unsafe .documentStart(
        hasDirectives: document.version_directive != nil || document.tag_directives.start != document.tag_directives.end
      )
    case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
    case YAML_ALIAS_EVENT: kind = .alias(unsafe name(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = unsafe event.data.scalar
      let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      kind = unsafe .scalar(String(decoding: bytes, as: UTF8.self), YAMLNode.Scalar.ScalarStyle(scalar.style))
      anchor = unsafe name(scalar.anchor)
      tag = unsafe name(scalar.tag)
    case YAML_SEQUENCE_START_EVENT:
      kind = .sequenceStart
      anchor = unsafe name(event.data.sequence_start.anchor)
      tag = unsafe name(event.data.sequence_start.tag)
    case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      kind = .mappingStart
      anchor = unsafe name(event.data.mapping_start.anchor)
      tag = unsafe name(event.data.mapping_start.tag)
    case YAML_MAPPING_END_EVENT: kind = .mappingEnd
    default: kind = .streamEnd
    }
  }
}

private func name(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
  unsafe pointer.map { unsafe String(cString: $0) }
}

extension YAMLNode.Scalar.ScalarStyle {
  fileprivate init(_ style: yaml_scalar_style_t) {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: self = .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: self = .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: self = .literal
    case YAML_FOLDED_SCALAR_STYLE: self = .folded
    default: self = .plain
    }
  }
}
