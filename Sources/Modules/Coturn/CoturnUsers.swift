import Coturn
import Files
import Foundation
package import Journal
import Processes
import Schema
package import Steps

/// Looks at where coturn keeps its users.
package struct CoturnUsers: StepModule {
  package struct Input: Sendable {
    package var config: String?
    package var turndb: String?
    package var limit: Int
  }

  package struct Output: Sendable {
    var turndb: String?
    var userCount: Int?
    var users: [UserDatabaseFile.User] = []
    var realms: [UserDatabaseFile.RealmUsers] = []
    var secretCount: Int?
    var admins: [String] = []
    var oauthKeys: Int?
    var allowedPeers: Int?
    var deniedPeers: Int?
    var configured: [String] = []
    var databases: [DatabaseLook] = []
  }

  package static let declaration = ModuleDeclaration(
    "coturn.users", "Looks at where coturn keeps its users, and whether it can get at them.",
    discussion: """
      A SQLite file (`turndb`) is opened for reading only: it is never created, and a file that is not there is an error. Names,
      realms and counts are read; keys, secrets and passwords are not. Of every other database that turnserver.conf names
      (`psql-userdb`, `mysql-userdb`, `mongo-userdb`, `redis-userdb`, `redis-statsdb`) it says how far coturn would get, from this
      host and this user: the name has an address, the database lets one connect, it lets one log in. The step fails if that
      goes wrong. It warns if the log-in was not tried: for MongoDB, for Redis over TLS, for an encrypted password, and if the
      client's library is not installed (libpq5, libmariadb3). coturn knows one database of users: of several settings it
      uses the last.
      """,
    effect: .observe, judges: true, files: ["config"], deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("config", \.config, .optional(.path), "The server's turnserver.conf."),
      Field(
        "turndb", \.turndb, .optional(.path),
        "The SQLite file; absent: the one of the configuration, or where coturn is used to keep it."),
      Field("limit", \.limit, .int.within(0...100_000), default: 100, "How many users to name.")
    ),
    output: Record(
      Output.init,
      Field("turndb", \.turndb, .optional(.path), "The SQLite file; absent: the users are kept elsewhere."),
      Field("userCount", \.userCount, .optional(.int), "How many users the file holds."),
      Field("users", \.users, .list(.record(UserDatabaseFile.User.record)), "The first of them, by realm and name."),
      Field("realms", \.realms, .list(.record(UserDatabaseFile.RealmUsers.record)), "The file's realms."),
      Field("secretCount", \.secretCount, .optional(.int), "How many shared secrets the file holds."),
      Field("admins", \.admins, .list(.string), "Administrators of the web interface."),
      Field("oauthKeys", \.oauthKeys, .optional(.int), "How many keys for OAuth the file holds."),
      Field("allowedPeers", \.allowedPeers, .optional(.int), "How many ranges of allowed peers the file holds."),
      Field("deniedPeers", \.deniedPeers, .optional(.int), "How many ranges of denied peers the file holds."),
      Field("configured", \.configured, .list(.string), "Names of users that stand in turnserver.conf itself."),
      Field(
        "databases", \.databases, .list(.record(DatabaseLook.record)), "How far coturn gets with each other database.")
    ),
    examples: [
      .init(
        "The server gets at its users", with: "config: /etc/turnserver.conf",
        expect: ["output.?userCount.orValue(1) > 0"]),
      .init(
        "The file holds users of the realm", with: "turndb: /var/lib/turn/turndb",
        expect: ["output.realms.exists(r, r.name == 'turn.example.com' && r.users > 0)"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.config == nil, input.turndb == nil else { return nil }
    return Finding(
      "coturn.nothingToLookAt", "the step is given neither a configuration nor a turndb",
      advice: "Give `config: /etc/turnserver.conf`, or `turndb: /var/lib/turn/turndb`.")
  }

  /// Where coturn keeps its file if nobody says otherwise: Debian, the image of Docker, and builds from source.
  private static let usualPlaces = [
    "/var/lib/turn/turndb", "/var/lib/coturn/turndb", "/var/db/turndb", "/usr/local/var/db/turndb",
  ]

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let time = context.remaining - min(.seconds(1), context.remaining / 5)
    let looked = await onAbandonedThread { () -> Result<Output, StepError> in
      do throws(StepError) {
        let output = try Self.look(input, time: time)
        return .success(output)
      } catch {
        return .failure(error)
      }
    }
    guard let looked else {
      throw StepError(
        .interrupted, Finding("coturn.interrupted", "The step was stopped before it had finished looking at coturn."))
    }
    let output = try looked.get()
    let objections = output.databases.compactMap(\.objection)
    let failures = objections.filter(\.isFailure).map(\.finding)
    if let finding = Finding.joined(failures) { return .failed(output, finding) }
    if let finding = Finding.joined(objections.map(\.finding)) { return .warned(output, finding) }
    return .done(output)
  }

  private static func look(_ input: Input, time: Duration) throws(StepError) -> Output {
    let end = ContinuousClock.now + time
    var output = Output()
    var sources = UserSources(configuration: [])
    if let path = input.config {
      sources = UserSources(configuration: try bytes(of: path))
      output.configured = sources.names
      for setting in [sources.users, sources.statistics].compactMap(\.self) where setting.kind != .sqlite {
        let account: ConnectionString
        do throws(ConnectionString.Flaw) { account = try ConnectionString(setting) } catch {
          throw .failed(
            "coturn.connectionStringInvalid",
            "\(path):\(setting.line): coturn cannot use the value of \(setting.option). \(error.message)",
            advice: "Write it as the example in turnserver.conf does. coturn says so only when it looks up a user.")
        }
        output.databases.append(
          DatabaseLook(
            setting, account, encryptsPassword: sources.encryptsPassword,
            time: max(.milliseconds(1), ContinuousClock.now.duration(to: end))))
      }
    }
    if let path = try file(input, sources) { try output.take(path, input.limit, until: end) }
    return output
  }

  /// What a turnserver.conf holds.
  static func bytes(of path: String) throws(StepError) -> [UInt8] {
    do throws(FileError) { return try File.read(path, limit: 16 << 20, followingLinks: true).bytes } catch {
      throw .broken(
        "coturn.configUnreadable", "The configuration cannot be read: \(error.message).",
        advice: "Check the path, and that this user may read it. coturn itself would start with its defaults.")
    }
  }

  /// The SQLite file that counts; nil if the users are kept elsewhere.
  private static func file(_ input: Input, _ sources: UserSources) throws(StepError) -> String? {
    if let path = input.turndb { return path }
    if let setting = sources.users { return setting.kind == .sqlite ? setting.value.revealText() : nil }
    if let path = usualPlaces.first(where: { FileManager.default.fileExists(atPath: $0) }) { return path }
    throw .broken(
      "coturn.turndbMissing", "The configuration names no database of users, and there is none in the usual places.",
      advice:
        "Give `turndb`. coturn prints the path it uses as it starts (\"SQLite connection\", \"Default database\").")
  }
}

extension CoturnUsers.Output {
  fileprivate mutating func take(_ path: String, _ limit: Int, until end: ContinuousClock.Instant) throws(StepError) {
    let file: UserDatabaseFile
    do throws(UserDatabaseFile.Failure) {
      let time = max(Duration.milliseconds(1), ContinuousClock.now.duration(to: end))
      file = try UserDatabaseFile(path, limit: limit, time: time)
    } catch {
      throw switch error {
      case .missing:
        StepError.broken(
          "coturn.turndbMissing", "There is no \(path).",
          advice: "Check the path. Do not look with turnadmin: it creates an empty database if there is none.")
      case .libraryMissing:
        StepError.broken(
          "coturn.turndbUnreadable", "\(path) cannot be read: SQLite's library is not installed.",
          advice: "Install libsqlite3-0.")
      case .unreadable(let reason):
        StepError.broken(
          "coturn.turndbUnreadable", "\(path) cannot be read: \(reason).",
          advice: "Check that this user may read it, and that it is coturn's SQLite file.")
      }
    }
    turndb = path
    (users, realms, admins) = (file.users, file.realms, file.admins)
    (userCount, secretCount, oauthKeys) = (file.userCount, file.secretCount, file.oauthKeys)
    (allowedPeers, deniedPeers) = (file.allowedPeers, file.deniedPeers)
  }
}
