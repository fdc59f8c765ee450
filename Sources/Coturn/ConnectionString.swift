package import Schema

/// What a connection string of coturn says: where the database is, and how to log in.
package struct ConnectionString: Hashable, Sendable {
  /// Where a database listens.
  package enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case host(String, port: UInt16)
    /// A Unix socket.
    case socket(String)

    package var description: String {
      switch self {
      case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .socket(let path): path
      }
    }
  }

  /// Why a connection string cannot be used; it quotes nothing of it, since any part may be a password.
  package struct Flaw: Error, Hashable, Sendable {
    package let message: Sentence
  }

  /// In the order in which a client tries them; never empty.
  package var endpoints: [Endpoint]
  package var user: String?
  package var password: Secret?
  package var database: String?
  /// Whether it asks for TLS.
  package var tls = false
  /// Files for TLS with MariaDB, by the name of their settings.
  package var files: [String: String] = [:]

  /// Reads the value of one of coturn's options as its client does. Throws for SQLite, which has none.
  package init(_ setting: DatabaseSetting) throws(Flaw) {
    let text = setting.value.revealText()
    switch setting.kind {
    case .sqlite: throw Flaw(message: "SQLite is read from a file.")
    case .postgresql: self = try Self.postgresql(text)
    case .mariadb: self = try Self.words(text, port: 3306, isRedis: false)
    case .redis: self = try Self.words(text, port: 6379, isRedis: true)
    case .mongodb: self = try Self.mongodb(text)
    }
  }

  private init(endpoints: [Endpoint]) { self.endpoints = endpoints }

  /// The names that coturn knows, several for one setting.
  private static let hosts: Set = ["host", "ip", "addr", "ipaddr", "hostaddr"]
  private static let databases: Set = ["dbname", "db", "database"]
  private static let users: Set = ["user", "uname", "name", "username"]
  private static let passwords: Set = ["password", "pwd", "passwd", "secret"]
  private static let ports: Set = ["port", "p"]
  private static let times: Set = ["connect_timeout", "timeout", "read_timeout"]
  private static let files = [
    "key": "key", "ssl-key": "key", "ca": "ca", "ssl-ca": "ca", "capath": "capath", "ssl-capath": "capath",
    "cert": "cert", "ssl-cert": "cert", "cipher": "cipher", "ssl-cipher": "cipher",
  ]

  /// `host=127.0.0.1 dbname=coturn user=turn password=…`: coturn's own form for MySQL and Redis. A blank ends a value; there
  /// are no quotes.
  private static func words(_ text: String, port standard: UInt16, isRedis: Bool) throws(Flaw) -> Self {
    var result = Self(endpoints: [])
    var host = "127.0.0.1"
    var port = standard
    for (index, word) in text.split(separator: " ").enumerated() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else {
        throw Flaw(message: "Word \(index + 1) has no \"=\". A blank ends a value, also in a password.")
      }
      let (name, value) = (parts[0], parts[1])
      if hosts.contains(name) {
        host = value
      } else if databases.contains(name) {
        result.database = value
      } else if users.contains(name) {
        result.user = value
      } else if passwords.contains(name) {
        result.password = Secret(value)
      } else if ports.contains(name) {
        guard let number = UInt16(value) else { throw Flaw(message: "The port is no number from 1 to 65535.") }
        port = number == 0 ? standard : number
      } else if isRedis, name.hasPrefix("tls") || name == "ssl" {
        result.tls = result.tls || ["tls", "ssl"].contains(name) && !["0", "false", "no", "off"].contains(value)
      } else if !isRedis, let file = files[name] {
        result.files[file] = value
      } else if !times.contains(name) {
        throw Flaw(message: "coturn does not know the setting in word \(index + 1), and gives up on all of them.")
      }
    }
    result.endpoints = [.host(host, port: port)]
    return result
  }

  private static func mongodb(_ text: String) throws(Flaw) -> Self {
    let scheme = "mongodb://"
    guard text.hasPrefix(scheme) else { throw Flaw(message: "It does not begin with mongodb://.") }
    return try uri(text.dropFirst(scheme.count), port: 27017)
  }

  /// What stands behind the scheme: `user:password@host:port,host/database?…`.
  private static func uri(_ rest: Substring, port standard: UInt16) throws(Flaw) -> Self {
    var result = Self(endpoints: [])
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let path = rest.dropFirst(authority.count).drop { $0 == "/" }.prefix { $0 != "?" }
    var hosts = authority[...]
    if let at = authority.lastIndex(of: "@") {
      let account = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      result.user = account.first.map(unescaped)
      if account.count == 2 { result.password = Secret(unescaped(account[1])) }
      hosts = authority[authority.index(after: at)...]
    }
    result.database = path.isEmpty ? nil : unescaped(path)
    for text in hosts.split(separator: ",") {
      if text.hasSuffix(".sock") || text.hasPrefix("%2F") || text.hasPrefix("%2f") {
        result.endpoints.append(.socket(unescaped(text)))
      } else {
        result.endpoints.append(try endpoint(text, port: standard))
      }
    }
    return result
  }

  /// `host`, `host:port`, `[2001:db8::1]:port`.
  private static func endpoint(_ text: Substring, port standard: UInt16) throws(Flaw) -> Endpoint {
    var host = text
    var port = standard
    if text.first == "[", let end = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<end]
      port = try number(text[text.index(after: end)...].dropFirst(), else: standard)
    } else if let colon = text.lastIndex(of: ":") {
      host = text[..<colon]
      port = try number(text[text.index(after: colon)...], else: standard)
    }
    return .host(unescaped(host), port: port)
  }

  private static func number(_ text: Substring, else standard: UInt16) throws(Flaw) -> UInt16 {
    if text.isEmpty { return standard }
    guard let port = UInt16(text), port > 0 else { throw Flaw(message: "A port is no number from 1 to 65535.") }
    return port
  }

  /// Without percent-encoding (RFC 3986, section 2.1); an escape that is none stays.
  private static func unescaped(_ text: some StringProtocol) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension ConnectionString {
  /// A connection string of libpq (PostgreSQL 15, section 34.1.1): keywords and values, or a URI.
  fileprivate static func postgresql(_ text: String) throws(Flaw) -> Self {
    for scheme in ["postgresql://", "postgres://"] where text.hasPrefix(scheme) {
      var result = try uri(text.dropFirst(scheme.count), port: 5432)
      if result.endpoints.isEmpty { result.endpoints = postgresqlEndpoints(hosts: [], ports: []) }
      return result
    }
    let settings = try keywords(text)
    var result = Self(endpoints: [])
    result.user = settings["user"]
    result.password = settings["password"].map { Secret($0) }
    result.database = settings["dbname"]
    func list(_ name: String) -> [String] {
      settings[name].map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
    }
    let hosts = settings["hostaddr"] == nil ? list("host") : list("hostaddr")
    let ports = list("port")
    guard ports.allSatisfy({ $0.isEmpty || UInt16($0) ?? 0 > 0 }) else {
      throw Flaw(message: "A port is no number from 1 to 65535.")
    }
    result.endpoints = postgresqlEndpoints(hosts: hosts, ports: ports.map { UInt16($0) ?? 5432 })
    return result
  }

  private static func postgresqlEndpoints(hosts: [String], ports: [UInt16]) -> [Endpoint] {
    (hosts.isEmpty ? [""] : hosts).enumerated().map { index, host in
      let port = ports.count > 1 && index < ports.count ? ports[index] : ports.first ?? 5432
      guard host.isEmpty || host.hasPrefix("/") else { return .host(host, port: port) }
      return .socket("\(host.isEmpty ? "/var/run/postgresql" : host)/.s.PGSQL.\(port)")
    }
  }

  /// `name = value` with blanks around `=`, values in single quotes, backslashes before quotes and backslashes.
  private static func keywords(_ text: String) throws(Flaw) -> [String: String] {
    var settings: [String: String] = [:]
    var rest = text[...]
    func skipBlanks() { rest = rest.drop { $0.isWhitespace } }
    skipBlanks()
    while !rest.isEmpty {
      let name = rest.prefix { $0 != "=" && !$0.isWhitespace }
      rest = rest.dropFirst(name.count)
      skipBlanks()
      guard rest.popFirst() == "=" else {
        throw Flaw(message: "Setting \(settings.count + 1) has no \"=\". A value with a blank needs single quotes.")
      }
      skipBlanks()
      let isQuoted = rest.first == "'"
      if isQuoted { rest.removeFirst() }
      var value = ""
      while let character = rest.first, isQuoted ? character != "'" : !character.isWhitespace {
        rest.removeFirst()
        if character == "\\", let next = rest.popFirst() { value.append(next) } else { value.append(character) }
      }
      if isQuoted, rest.popFirst() != "'" { throw Flaw(message: "A single quote is not closed.") }
      settings[String(name)] = value
      skipBlanks()
    }
    return settings
  }
}
