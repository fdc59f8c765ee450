package import Schema

/// A database that a turnserver.conf names, for its users or for its statistics.
package struct DatabaseSetting: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case sqlite
    case postgresql
    case mariadb
    case mongodb
    case redis

    /// As people write it.
    package var title: String {
      switch self {
      case .sqlite: "SQLite"
      case .postgresql: "PostgreSQL"
      case .mariadb: "MariaDB"
      case .mongodb: "MongoDB"
      case .redis: "Redis"
      }
    }
  }

  /// `psql-userdb`, `redis-statsdb`.
  package let option: String
  package let kind: Kind
  /// The path of a SQLite file, or a connection string, which may hold a password.
  package let value: Secret
  /// From 1.
  package let line: Int

  /// Whether coturn only writes to it.
  package var isForStatistics: Bool { option == "redis-statsdb" }

  package init(option: String, kind: Kind, value: Secret, line: Int) {
    self.option = option
    self.kind = kind
    self.value = value
    self.line = line
  }

  private static let kinds: [String: Kind] = [
    "userdb": .sqlite, "db": .sqlite, "psql-userdb": .postgresql, "sql-userdb": .postgresql, "mysql-userdb": .mariadb,
    "mongo-userdb": .mongodb, "redis-userdb": .redis, "redis-statsdb": .redis,
  ]

  /// The setting that an option of turnserver.conf makes; nil if it names no database.
  package init?(option: String, value: String, line: Int) {
    guard let kind = Self.kinds[option] else { return nil }
    self.init(option: option, kind: kind, value: Secret(value), line: line)
  }
}

/// What a turnserver.conf says of where its users are kept.
package struct UserSources: Hashable, Sendable {
  /// The database of the users. coturn knows one: of several settings the last counts. nil: none is named, and it uses its
  /// SQLite file.
  package private(set) var users: DatabaseSetting?
  package private(set) var statistics: DatabaseSetting?
  /// Settings of users' databases that a later one replaces.
  package private(set) var replaced: [DatabaseSetting] = []
  /// The names of users that stand in the file itself.
  package private(set) var names: [String] = []
  /// Whether the password of MariaDB stands there encrypted (`secret-key-file`).
  package private(set) var encryptsPassword = false

  /// - Parameter configuration: the bytes of a turnserver.conf.
  package init(configuration: [UInt8]) {
    for line in ConfigurationLine.lines(of: configuration, .newestKnown) {
      if line.name == "user", let colon = line.value.firstIndex(of: ":") { names.append(String(line.value[..<colon])) }
      if line.name == "secret-key-file" { encryptsPassword = true }
      guard let setting = DatabaseSetting(option: line.name, value: line.value, line: line.number) else { continue }
      if setting.isForStatistics {
        statistics = setting
      } else {
        if let users { replaced.append(users) }
        users = setting
      }
    }
  }
}
