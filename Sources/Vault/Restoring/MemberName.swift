/// The names that members of an archive may have. They are bytes, which need not be text.
package enum MemberName {
  /// The most folders that lie one in another.
  static let deepest = 128
  /// In bytes, as the kernel has it.
  static let longest = 4095
  static let longestPart = 255

  /// Why a member must not have a name, as it stands behind "refused: "; nil if it may.
  package static func objection(to name: [UInt8]) -> String? {
    if name.isEmpty { return "its name is empty" }
    if name[0] == 0x2F { return "its name begins with a slash and would lead out of the folder" }
    if name.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "its name holds a control character" }
    // C1 controls, as UTF-8 has them.
    if zip(name, name.dropFirst()).contains(where: { $0 == 0xC2 && (0x80...0x9F).contains($1) }) {
      return "its name holds a control character"
    }
    let parts = parts(of: name)
    if parts.contains([0x2E, 0x2E]) { return "its name holds `..` and could lead out of the folder" }
    if parts.contains([]) || parts.contains([0x2E]) { return "its name has an empty part or a `.`" }
    if name.count > longest || parts.contains(where: { $0.count > longestPart }) { return "its name is too long" }
    return parts.count > deepest ? "it lies in more than \(deepest) folders" : nil
  }

  static func parts(of name: [UInt8]) -> [[UInt8]] {
    name.split(separator: 0x2F, omittingEmptySubsequences: false).map { Array($0) }
  }

  /// The folders that it lies in: of `a/b/c` these are `a` and `a/b`.
  static func ancestors(of name: [UInt8]) -> [[UInt8]] {
    name.indices.filter { name[$0] == 0x2F }.map { Array(name[..<$0]) }
  }

  /// Why no link may have this target, wherever it leads; nil if it may.
  static func objection(toTarget target: [UInt8]) -> String? {
    if target.isEmpty { return "it is a link to nothing" }
    return target.contains { $0 < 0x20 || $0 == 0x7F } ? "the link's target holds a control character" : nil
  }

  /// Why a symbolic link in a backup leads out of it; nil if it stays inside.
  ///
  /// Only a target that climbs first and then descends can be judged by itself: what lies in between could be a link again.
  static func objection(toLink name: [UInt8], target: [UInt8]) -> String? {
    guard !target.isEmpty else { return nil }
    if target[0] == 0x2F { return "it is a link to \(shown(target)), out of the folder" }
    let parts = parts(of: target).filter { $0 != [] && $0 != [0x2E] }
    let climbed = parts.prefix { $0 == [0x2E, 0x2E] }.count
    if climbed > ancestors(of: name).count || parts.dropFirst(climbed).contains([0x2E, 0x2E]) {
      return "it is a link to \(shown(target)), which could lead out of the folder"
    }
    return nil
  }

  /// For people, in quotes: bytes that are no text, and control characters, as `\xNN`.
  package static func shown(_ name: [UInt8]) -> String {
    var text = ""
    var rest = name[...]
    while let first = rest.first {
      // The longest piece that is text; names are short.
      let scalar = (1...4).lazy.compactMap { length in
        rest.count < length ? nil : String(validating: rest.prefix(length), as: UTF8.self)
      }.first
      if let scalar, first >= 0x20, first != 0x7F,
        !(scalar.unicodeScalars.first.map { (0x80...0x9F).contains($0.value) } ?? false)
      {
        text += scalar
        rest = rest.dropFirst(scalar.utf8.count)
      } else {
        let digits = String(first, radix: 16)
        text += "\\x" + (digits.count < 2 ? "0" : "") + digits
        rest = rest.dropFirst()
      }
    }
    return "\"\(text)\""
  }
}
