/// Takes the secrets that a program or a server was given out of what it answered, before that is shown or recorded:
/// ``Secret/mask`` stands in the place of each.
///
/// A secret of six characters or more is found in any case of its letters, escaped (URL, JSON, HTML, quoted-printable), in
/// base64 wherever it lies in what was encoded (so `user:secret` too), and in hex; each also if lines were folded. A shorter
/// one is found as it stands or escaped, between characters that are neither letters nor digits: anything else would
/// mask words.
package struct SecretMasking: Sendable {
  private let patterns: [SecretPattern]
  /// The patterns that can begin with a byte, by that byte.
  private let candidates: [[Int]]

  /// Secrets of fewer characters are masked only if they stand alone.
  package static let reliableLength = 6

  package init(_ secrets: some Sequence<Secret>) {
    let patterns = Set(secrets.map { $0.revealText() }).flatMap(SecretPattern.all)
    self.patterns = patterns
    candidates = (0...255).map { byte in patterns.indices.filter { patterns[$0].canBegin(with: UInt8(byte)) } }
  }

  /// For every secret in a value, at any depth.
  package init(secretsIn value: Value) { self.init(value.secrets) }

  package func masked(_ text: String) -> String {
    guard !patterns.isEmpty else { return text }
    return masked(Array(text.utf8), isCut: false).map { String(decoding: $0, as: UTF8.self) } ?? text
  }

  /// The sentence, what came from outside masked: a secret that lies wholly in the tool's own words is none. One that lies only partly
  /// in them is masked.
  package func masked(_ sentence: Sentence) -> Sentence {
    guard !patterns.isEmpty else { return sentence }
    let found = masked(Array(sentence.text.utf8), isCut: false, own: sentence.own)
    return found.map { Sentence(outside: String(decoding: $0, as: UTF8.self)) } ?? sentence
  }

  /// A value of this type, its texts masked. What has a syntax (an address, a URI) would lose it, and stays.
  package func masked(_ value: Value, as type: ValueType) -> Value {
    guard !patterns.isEmpty else { return value }
    return switch (type, value) {
    case (.string, .string(let text)), (.any, .string(let text)): .string(masked(text))
    case (.optional(let wrapped), _): masked(value, as: wrapped)
    case (.list(let element), .list(let values)): .list(values.map { masked($0, as: element) })
    case (.map(let element), .members(let members)):
      .members(members.map { .init(masked($0.name), masked($0.value, as: element)) })
    case (.record(let record), .members(let members)):
      .members(members.map { .init($0.name, masked($0.value, as: record[$0.name]?.type ?? .any)) })
    case (.any, .list(let values)): .list(values.map { masked($0, as: .any) })
    case (.any, .members): masked(value, as: .map(.any))
    default: value
    }
  }

  /// The text that these bytes are, masked; what is no UTF-8 becomes U+FFFD.
  ///
  /// - Parameter isCut: the end is missing, and may have been cut off inside a secret.
  package func text(_ bytes: [UInt8], isCut: Bool = false) -> String {
    String(decoding: masked(bytes, isCut: isCut) ?? bytes, as: UTF8.self)
  }

  /// Nil if no secret stands in them. Bytes are compared: as characters, a secret with an accent behind it would be
  /// another text.
  ///
  /// - Parameter own: ranges that came from nowhere but this tool.
  private func masked(_ bytes: [UInt8], isCut: Bool, own: [Range<Int>] = []) -> [UInt8]? {
    guard !patterns.isEmpty else { return nil }
    return bytes.withUnsafeBufferPointer { text in
      var masked: [UInt8]?
      var index = 0
      var copied = 0
      while index < text.count {
        guard var found = longest(in: text, at: index, isCut: isCut, own: own) else {
          index += 1
          continue
        }
        if !own.isEmpty {
          // A match that begins in the tool's own words must not hide one behind it that overlaps it.
          var next = index + 1
          while next < found.upperBound {
            let end = longest(in: text, at: next, isCut: isCut, own: own)?.upperBound ?? 0
            found = found.lowerBound..<max(found.upperBound, end)
            next += 1
          }
        }
        var result = masked ?? []
        masked = nil
        if found.lowerBound > copied { result += text[copied..<found.lowerBound] }
        result += Secret.mask.utf8
        masked = result
        (index, copied) = (found.upperBound, found.upperBound)
      }
      masked?.append(contentsOf: text[copied...])
      return masked
    }
  }
}

extension SecretMasking {
  /// The longest match that begins at an index and does not lie wholly in the tool's own words; nil if there is none.
  @inline(__always)
  private func longest(
    in text: UnsafeBufferPointer<UInt8>, at index: Int, isCut: Bool, own: [Range<Int>]
  ) -> Range<Int>? {
    var longest: Range<Int>?
    for candidate in candidates[Int(text[index])] {
      guard let found = patterns[candidate].range(in: text, at: index, isCut: isCut),
        !own.contains(where: { $0.lowerBound <= found.lowerBound && found.upperBound <= $0.upperBound })
      else { continue }
      if found.upperBound > (longest?.upperBound ?? 0) { longest = found }
    }
    return longest
  }
}

extension Value {
  fileprivate var secrets: [Secret] {
    switch self {
    case .secret(let secret): [secret]
    case .list(let elements): elements.flatMap(\.secrets)
    case .members(let members): members.flatMap(\.value.secrets)
    default: []
    }
  }
}
