/// Another repository that the backups are pushed to: a path of this host, or a repository that ssh reaches.
package struct VaultRemote: Hashable, Sendable {
  /// Why a text names no remote.
  package enum Objection: Error, Hashable, Sendable {
    /// A password must never stand in a document.
    case hasPassword
    /// It is neither a path nor an address of ssh.
    case unknownForm
  }

  /// As git takes it; it holds no password.
  package var address: String
  /// The file with the private key that ssh shows; nil if ssh chooses, as its configuration says.
  package var keyFile: String?
  /// The file with the host keys that are trusted; nil for those that ssh trusts.
  package var knownHosts: String?

  /// - Parameters:
  ///   - text: `/srv/backups.git`, `file:///srv/backups.git`, `ssh://user@host:22/srv/backups.git`, or `user@host:backups.git`.
  ///   - absolute: makes a path absolute.
  package init(_ text: String, absolute: (String) -> String) throws(Objection) {
    guard !text.isEmpty, text.utf8.first != 0x2D,
      text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
    else { throw .unknownForm }
    if let scheme = text.firstRange(of: "://") {
      let rest = text[scheme.upperBound...]
      let authority = rest.prefix { $0 != "/" }
      if authority.prefix(upTo: authority.lastIndex(of: "@") ?? authority.startIndex).contains(":") {
        throw .hasPassword
      }
      let path = rest.dropFirst(authority.count)
      switch text[..<scheme.lowerBound] {
      case "file" where authority.isEmpty && path.count > 1: address = String(path)
      case "ssh" where Self.isHost(authority, mayHavePort: true) && path.count > 1: address = text
      default: throw .unknownForm
      }
    } else if let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/") {
      let path = text[text.index(after: colon)...]
      guard Self.isHost(text[..<colon], mayHavePort: false), let first = path.first, first != ":", first != "-" else {
        throw .unknownForm
      }
      // `user:password@host` without its scheme.
      guard !path.prefix(while: { $0 != "/" }).contains("@") else { throw .hasPassword }
      address = text
    } else {
      address = absolute(text)
    }
  }

  /// True if ssh reaches it.
  package var isReachedBySSH: Bool { !address.hasPrefix("/") }

  /// `user@host`; nothing that ssh could take for an option.
  private static func isHost(_ text: Substring, mayHavePort: Bool) -> Bool {
    var host = text
    if let at = text.lastIndex(of: "@") {
      let user = text[..<at]
      guard !user.isEmpty, user.first != "-", user.utf8.allSatisfy({ Self.isPlain($0) }) else { return false }
      host = text[text.index(after: at)...]
    }
    if mayHavePort, let colon = host.lastIndex(of: ":"), host.last != "]" {
      guard let port = UInt16(host[host.index(after: colon)...]), port > 0 else { return false }
      host = host[..<colon]
    }
    if host.first == "[", host.last == "]" {
      return host.count > 2 && host.dropFirst().dropLast().utf8.allSatisfy { Self.isPlain($0) || $0 == 0x3A }
    }
    return !host.isEmpty && host.first != "-" && host.utf8.allSatisfy { Self.isPlain($0) }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
    }
  }
}
