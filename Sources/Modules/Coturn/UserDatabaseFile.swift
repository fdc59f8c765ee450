import Glibc
import SQLite
import Schema

/// What coturn's SQLite file holds, without any key, secret or password.
struct UserDatabaseFile: Sendable {
  enum Failure: Error, Hashable {
    /// There is no such file.
    case missing
    case libraryMissing
    case unreadable(String)

    init(_ failure: SQLiteDatabase.Failure) {
      self =
        switch failure {
        case .libraryMissing: .libraryMissing
        case .unreadable(let reason): .unreadable(reason)
        }
    }
  }

  /// A user of the long-term credential mechanism.
  struct User: Hashable, Sendable {
    var realm: String
    var name: String

    static let record = Record(
      Self.init,
      Field("realm", \.realm, .string, "The realm of the user."),
      Field("name", \.name, .string, "The user's name.")
    )
  }

  struct RealmUsers: Hashable, Sendable {
    var name: String
    var users: Int
    var secrets: Int

    static let record = Record(
      Self.init,
      Field("name", \.name, .string, "The realm's name."),
      Field("users", \.users, .int, "Users with a key of their own."),
      Field("secrets", \.secrets, .int, "Shared secrets (`use-auth-secret`).")
    )
  }

  /// The first of them, by realm and name.
  var users: [User] = []
  var realms: [RealmUsers] = []
  var userCount = 0
  var secretCount = 0
  var admins: [String] = []
  var oauthKeys = 0
  var allowedPeers = 0
  var deniedPeers = 0

  /// Reads it. A table that is not there holds nothing, but there must be the one of users.
  ///
  /// - Parameter time: what opening and all queries may take.
  init(_ path: String, limit: Int, time: Duration) throws(Failure) {
    try Self.check(path)
    do throws(SQLiteDatabase.Failure) {
      let bytes = Array(path.utf8)
      try read(SQLiteDatabase(bytes, isResting: SQLiteDatabase.isResting(bytes), time: time), limit: limit)
    } catch { throw Failure(error) }
  }

  private static func check(_ path: String) throws(Failure) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw errno == ENOENT ? .missing : .unreadable(String(cString: strerror(errno)))
    }
    // Opening a FIFO would wait for its writer.
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is no regular file") }
    guard access(path, R_OK) == 0 else { throw .unreadable(String(cString: strerror(errno))) }
  }

  private mutating func read(_ file: SQLiteDatabase, limit: Int) throws(SQLiteDatabase.Failure) {
    // A view may be endless, and may read what it likes.
    let tables = Set(try file.rows("SELECT name FROM sqlite_master WHERE type = 'table'").compactMap(\.first))
    guard tables.contains("turnusers_lt") else {
      throw .unreadable("it has no table turnusers_lt: it is no database of coturn's users")
    }
    func count(_ table: String) throws(SQLiteDatabase.Failure) -> Int {
      guard tables.contains(table) else { return 0 }
      return Int(try file.rows("SELECT count(*) FROM \(table)").first?.first ?? "") ?? 0
    }
    userCount = try count("turnusers_lt")
    secretCount = try count("turn_secret")
    oauthKeys = try count("oauth_key")
    allowedPeers = try count("allowed_peer_ip")
    deniedPeers = try count("denied_peer_ip")
    users = try file.rows(
      """
      SELECT substr(realm, 1, 127), substr(name, 1, 512) FROM turnusers_lt ORDER BY realm, name LIMIT \(limit)
      """
    ).map { User(realm: $0.first ?? "", name: $0.last ?? "") }
    if tables.contains("admin_user") {
      admins = try file.rows("SELECT substr(name, 1, 32) FROM admin_user ORDER BY name LIMIT 100").compactMap(\.first)
    }
    realms = try Self.realms(of: file, tables)
  }

  private static func realms(of file: SQLiteDatabase, _ tables: Set<String>) throws(SQLiteDatabase.Failure)
    -> [RealmUsers]
  {
    var realms: [String: RealmUsers] = [:]
    let counted: [(table: String, count: WritableKeyPath<RealmUsers, Int>)] = [
      ("turnusers_lt", \.users), ("turn_secret", \.secrets),
    ]
    for (table, path) in counted where tables.contains(table) {
      for row in try file.rows("SELECT substr(realm, 1, 127), count(*) FROM \(table) GROUP BY 1 ORDER BY 1 LIMIT 1000")
      {
        let name = row.first ?? ""
        realms[name, default: RealmUsers(name: name, users: 0, secrets: 0)][keyPath: path] =
          row.last.flatMap { Int($0) } ?? 0
      }
    }
    for table in ["turn_realm_option", "turn_origin_to_realm"] where tables.contains(table) {
      for row in try file.rows("SELECT DISTINCT substr(realm, 1, 127) FROM \(table) ORDER BY 1 LIMIT 1000") {
        let name = row.first ?? ""
        realms[name] = realms[name] ?? RealmUsers(name: name, users: 0, secrets: 0)
      }
    }
    return realms.values.sorted { $0.name < $1.name }
  }
}
