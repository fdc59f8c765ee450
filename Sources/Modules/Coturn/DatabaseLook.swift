import CDatabases
import Coturn
import Glibc
import Journal
import Schema

/// How far coturn would get with one of its databases.
struct DatabaseLook: Hashable, Sendable {
  /// Each includes the ones before it.
  enum Reached: String, Sendable, CaseIterable {
    case resolved
    case connected
    case loggedIn
  }

  var option: String
  var line: Int
  var kind: DatabaseSetting.Kind
  var place: String
  var database: String?
  var user: String?
  var reached: Reached?
  var untested: String?
  var failure: String?

  static let record = Record(
    Self.init,
    Field("option", \.option, .string, "The option of turnserver.conf."),
    Field("line", \.line, .int, "Its line."),
    Field("kind", \.kind, .enumeration(DatabaseSetting.Kind.self), "What it is."),
    Field("place", \.place, .string, "Where it listens: host and port, or the path of its socket."),
    Field("database", \.database, .optional(.string), "The database's name or number."),
    Field("user", \.user, .optional(.string), "Whom coturn logs in as."),
    Field("reached", \.reached, .optional(.enumeration(Reached.self)), "How far it went; absent: it has no address."),
    Field(
      "untested", \.untested, .optional(.string),
      "What was not tried, and why; absent: everything up to the log-in was tried."),
    Field("failure", \.failure, .optional(.string), "What went wrong; absent: nothing.")
  )

  /// The libraries with which it logs in, by the names of their files; tests give others.
  struct Libraries: Sendable {
    var postgresql = "libpq.so.5"
    var mariadb = "libmariadb.so.3"
  }
}

extension DatabaseLook {
  private init(_ setting: DatabaseSetting, _ account: ConnectionString) {
    self.init(
      option: setting.option, line: setting.line, kind: setting.kind,
      place: account.endpoints.map(\.description).joined(separator: ", "), database: account.database,
      user: account.user)
  }

  /// Looks at it; blocks for `time` at most, if its name is resolved by then.
  init(
    _ setting: DatabaseSetting, _ account: ConnectionString, encryptsPassword: Bool, time: Duration,
    libraries: Libraries = Libraries()
  ) {
    self.init(setting, account)
    let end = ContinuousClock.now + time
    // MariaDB's client takes its Unix socket for this name, and knows alone where that is.
    let usesOwnSocket = setting.kind == .mariadb && account.endpoints == [.host("localhost", port: 3306)]
    var socket: DatabaseSocket?
    if !usesOwnSocket {
      socket = connect(account, until: end)
      guard socket != nil else { return }
    }
    if setting.kind == .mongodb {
      untested = "The log-in: runbook has no client for MongoDB."
    } else if encryptsPassword, setting.kind == .mariadb {
      untested = "The log-in: the password is encrypted (secret-key-file)."
    } else if setting.kind == .postgresql, let name = Self.standIn(for: account) {
      untested = "The log-in: the variable \(name) would stand in for what the connection string leaves out; unset it."
    } else if setting.kind == .redis {
      if let socket { logInToRedis(socket, account) }
    } else {
      let left = max(.milliseconds(1), ContinuousClock.now.duration(to: end))
      let login =
        setting.kind == .postgresql
        ? Self.postgresql(setting, left, libraries.postgresql) : Self.mariadb(account, left, libraries.mariadb)
      take(login, of: setting.kind, password: account.password)
    }
  }

  /// Connects to the first endpoint that lets it, and says how far that went.
  private mutating func connect(_ account: ConnectionString, until end: ContinuousClock.Instant) -> DatabaseSocket? {
    for endpoint in account.endpoints {
      do throws(DatabaseSocket.Failure) {
        let socket = try DatabaseSocket(endpoint, until: end)
        (reached, failure) = (.connected, nil)
        return socket
      } catch {
        if case .unresolved = error {} else { reached = .resolved }
        failure = failure ?? "\(endpoint): \(Self.text(error))"
      }
    }
    return nil
  }

  /// What a failure means, behind a colon.
  static func text(_ failure: DatabaseSocket.Failure) -> String {
    switch failure {
    case .unresolved(let reason): "the name has no address (\(reason))"
    case .unreachable(let reason): reason
    case .outOfTime: "it did not answer in time"
    case .closed: "it closed the connection"
    }
  }

  private mutating func logInToRedis(_ socket: DatabaseSocket, _ account: ConnectionString) {
    guard !account.tls else {
      untested = "The log-in: the connection string asks for TLS."
      return
    }
    do throws(RedisConnection.Failure) {
      try RedisConnection(socket).logIn(account)
      reached = .loggedIn
    } catch {
      failure =
        switch error {
        case .socket(let failure): Self.text(failure)
        case .refused(let text): masked(text, account.password)
        case .malformed: "what answers does not speak Redis's protocol"
        }
    }
  }

  private static func postgresql(_ setting: DatabaseSetting, _ time: Duration, _ library: String) -> runbook_login {
    runbook_postgresql_log_in(library, setting.value.revealText(), milliseconds(time))
  }

  private static func mariadb(_ account: ConnectionString, _ time: Duration, _ library: String) -> runbook_login {
    guard case .host(let host, let port)? = account.endpoints.first else { return runbook_login() }
    // As coturn fills in what is not given.
    let values: [String] = [host, account.user ?? "", account.password?.revealText() ?? "", account.database ?? "0"]
    let texts = values.map { strdup($0) }
    let files = ["key", "cert", "ca", "capath", "cipher"].map { account.files[$0].flatMap { strdup($0) } }
    defer { for text in texts + files { free(text) } }
    var login = runbook_mariadb_account()
    (login.host, login.user, login.password, login.database) =
      (UnsafePointer(texts[0]), UnsafePointer(texts[1]), UnsafePointer(texts[2]), UnsafePointer(texts[3]))
    (login.key, login.certificate, login.ca) =
      (UnsafePointer(files[0]), UnsafePointer(files[1]), UnsafePointer(files[2]))
    (login.ca_folder, login.cipher) = (UnsafePointer(files[3]), UnsafePointer(files[4]))
    login.port = UInt32(port)
    return runbook_mariadb_log_in(library, &login, UInt32(max(1, milliseconds(time) / 1000)))
  }

  /// The variable of this program's environment with which PostgreSQL's library would fill in what the connection string
  /// leaves out, so that the log-in would tell nothing of coturn's; nil if there is none.
  static func standIn(for account: ConnectionString, isSet: (String) -> Bool = { getenv($0) != nil }) -> String? {
    var names = ["PGSERVICE", "PGHOSTADDR"]
    if account.password == nil { names.append("PGPASSWORD") }
    if account.user == nil { names.append("PGUSER") }
    return names.first(where: isSet)
  }

  static func milliseconds(_ time: Duration) -> CInt {
    CInt(clamping: time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000)
  }

  private mutating func take(_ login: runbook_login, of kind: DatabaseSetting.Kind, password: Secret?) {
    let message = withUnsafeBytes(of: login.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    switch login.outcome {
    case RUNBOOK_LOGGED_IN: reached = .loggedIn
    case RUNBOOK_LIBRARY_MISSING:
      untested = "The log-in: install \(kind == .postgresql ? "libpq5" : "libmariadb3"), the client's library."
    case RUNBOOK_LOGIN_OUT_OF_TIME: failure = "it did not answer in time"
    default: failure = masked(message.isEmpty ? "no reason given" : message, password)
    }
  }

  /// A text of the server in one line, without the password.
  private func masked(_ text: String, _ password: Secret?) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return SecretMasking([password].compactMap(\.self)).masked(line)
  }
}

extension DatabaseLook {
  /// What is wrong with it; nil if coturn can use it, as far as was tried.
  var objection: (finding: Finding, isFailure: Bool)? {
    let purpose = option == "redis-statsdb" ? "coturn publishes no statistics" : "coturn finds no users"
    if let failure, reached == .connected {
      return (
        Finding(
          "coturn.databaseRefusesLogIn", "\(kind.title) at \(place) does not let coturn in: \(failure).",
          advice: "Compare \(option) in line \(line) with the database's accounts. Until then \(purpose)."), true
      )
    }
    if let failure {
      return (
        Finding(
          "coturn.databaseUnreachable", "\(kind.title) at \(place) cannot be reached: \(failure).",
          advice: "Check \(option) in line \(line), and whether the database runs. Until then \(purpose)."), true
      )
    }
    if let untested {
      return (
        Finding(
          "coturn.databaseUntested", "\(kind.title) at \(place) was not tried to the end. \(untested)",
          advice: "Log in by hand with the database's own client."), false
      )
    }
    return nil
  }
}
