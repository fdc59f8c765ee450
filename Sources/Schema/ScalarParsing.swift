import Addresses

/// Why a text or a value does not belong to a type, and which field it was (`endpoint.port`; empty for the value itself).
@usableFromInline
package struct Mismatch: Error, Hashable, Sendable {
  package var path: String
  /// Why, as a sentence without a full stop.
  package var reason: String
  /// The name that was most likely meant, if one is known.
  package var meant: String?

  @usableFromInline
  package init(path: String = "", _ reason: String, meant: String? = nil) {
    self.path = path
    self.reason = reason
    self.meant = meant
  }

  /// Why, and which name was most likely meant.
  @usableFromInline
  package var message: String { meant.map { "\(reason); \(didYouMean($0))" } ?? reason }

  /// The same, seen from the record or list that holds the value.
  @usableFromInline
  package func inside(_ name: String) -> Self {
    Self(path: path.isEmpty ? name : path.hasPrefix("[") ? name + path : "\(name).\(path)", reason, meant: meant)
  }
}

extension ValueType {
  /// Reads one scalar as this type declares it: text is never guessed at, so `no` is a string where a string is due.
  ///
  /// Throws a ``Mismatch`` that shows how a value of the type is written. Lists, maps and records are no scalars.
  package func parse(_ text: String) throws(Mismatch) -> Value {
    func read(_ value: Value?) throws(Mismatch) -> Value {
      guard let value else { throw Mismatch("expected \(article), found \"\(text)\"") }
      return value
    }
    switch self {
    case .bool: return try read(["true": .bool(true), "false": .bool(false)][text])
    case .int: return try read(Int64(text).map(Value.int))
    case .double: return try read(Self.isDecimal(text) ? Double(text).flatMap { $0.isFinite ? .double($0) : nil } : nil)
    case .bytes: return try read(parseBase64(text).map(Value.bytes))
    case .timestamp: return try read(Timestamp(text).map(Value.timestamp))
    case .duration: return try read(parseDuration(text).map(Value.duration))
    case .byteSize: return try read(parseByteSize(text).map(Value.int))
    case .bandwidth: return try read(parseBandwidth(text).map(Value.int))
    case .percent: return try read(parsePercent(text).map(Value.double))
    case .port: return try read(Int64(text).flatMap { (1...65_535).contains($0) ? .int($0) : nil })
    case .any, .string, .host, .ip, .cidr, .path, .url, .turnURI, .cron, .enumeration:
      // What people write reaches programs and files, which know no NUL. What servers and programs answer may hold one.
      guard !text.contains("\0") else { throw Mismatch("text must not hold a NUL character") }
      try checkText(text)
      return .string(text)
    case .optional(let wrapped): return try wrapped.parse(text)
    case .secret(let wrapped):
      // Why it does not belong is said without the secret.
      do { return .secret(Secret(try wrapped.parse(text))) } catch {
        throw Mismatch("the secret is not \(wrapped.article)")
      }
    case .turnServer, .list, .map, .record: throw Mismatch("expected \(article), found the text \"\(text)\"")
    }
  }

  private static func isDecimal(_ text: String) -> Bool {
    text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
  }

  /// Throws if the text breaks the syntax of a text-like type.
  func checkText(_ text: String) throws(Mismatch) {
    let holds =
      switch self {
      case .host: isHost(text)
      case .ip: IPAddress(text) != nil
      case .cidr: isCIDR(text)
      case .path: isPath(text)
      case .url: isURL(text)
      case .turnURI: (try? ServerURI(parsing: text)) != nil
      case .cron: isCron(text)
      case .enumeration(let names): names.contains(text)
      default: true
      }
    guard !holds else { return }
    if case .enumeration(let names) = self {
      let reason = "expected one of \(names.joined(separator: ", ")), found \"\(text)\""
      throw Mismatch(reason, meant: nearName(to: text, among: names))
    }
    let reason = self == .turnURI ? ServerURI.mistake(in: text).map { ": \($0.reason)" } ?? "" : ""
    throw Mismatch("expected \(article), found \"\(ServerURI.withoutUserInformation(text))\"\(reason)")
  }

  /// The type as a sentence names it, with an example of how it is written where that is not plain.
  package var article: String {
    switch self {
    case .any: "a value"
    case .bool: "true or false"
    case .int: "a whole number"
    case .double: "a number"
    case .string: "text"
    case .bytes: "bytes in base64"
    case .timestamp: "a timestamp such as 2026-01-31T08:00:00Z"
    case .duration: "a duration with its unit, such as 200ms, 5s or 7d"
    case .byteSize: "a size with its unit, such as 64MiB or 2GB"
    case .bandwidth: "a bandwidth with its unit, such as 800Mbps"
    case .percent: "a percentage such as 95%"
    case .host: "a host name or IP address"
    case .port: "a port from 1 to 65535"
    case .ip: "an IP address"
    case .cidr: "an address range such as 10.0.0.0/8"
    case .path: "a path that does not begin with a hyphen"
    case .url: "a URL such as https://turn.example.com/health"
    case .turnURI: "a URI such as turn:turn.example.com:3478?transport=udp"
    case .turnServer: "a turn-server, such as ${target}"
    case .cron: "a cron schedule of five fields, such as */5 * * * *"
    case .enumeration(let names): "one of \(names.joined(separator: ", "))"
    case .list(let element): "a list of \(element)"
    case .map(let element): "a map of \(element)"
    case .record: "a mapping"
    case .optional(let wrapped): wrapped.article
    case .secret(let wrapped): "a secret (\(wrapped))"
    }
  }
}
