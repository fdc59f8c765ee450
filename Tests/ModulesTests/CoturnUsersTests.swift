import Coturn
import Foundation
import Glibc
import Journal
import Processes
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

@Suite("coturn.users")
struct CoturnUsersTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path + "/turndb" }

  /// Runs one of Debian's programs, which must succeed.
  private func tool(_ program: String, _ arguments: String...) async throws {
    let result = try await Command(program, arguments).run()
    try #require(result.isSuccess, "\(result.standardError.text)")
  }

  /// - Parameter name: the file's; looks that go on at once need different ones.
  private func look(
    _ configuration: String, name: String = "turnserver.conf", deadline: Duration = .seconds(20)
  ) async throws -> StepResult<Value> {
    try folder.write(configuration + "\n", to: name)
    return try await run("coturn.users", [.init("config", .string("\(folder.path)/\(name)"))], deadline: deadline)
  }

  private func database(_ result: StepResult<Value>) throws -> Value {
    guard case .list(let databases)? = result.output["databases"] else { throw NothingThrown() }
    return try #require(databases.first)
  }

  @Test("A turndb that turnadmin wrote is read: names, realms and counts, and no key")
  func turndb() async throws {
    for (user, realm) in [("alice", "r.example"), ("bob", "r.example"), ("carol", "s.example")] {
      try await tool("turnadmin", "-a", "-b", path, "-u", user, "-r", realm, "-p", "pass-\(user)")
    }
    try await tool("turnadmin", "-s", "the-shared-secret", "-b", path, "-r", "s.example")
    try await tool("turnadmin", "-A", "-b", path, "-u", "root", "-p", "admin-password")
    let before = try Data(contentsOf: URL(filePath: path))
    let result = try await run("coturn.users", [.init("turndb", .string(path)), .init("limit", .int(2))])
    #expect(result.objection == nil)
    #expect(result.output["userCount"] == .int(3))
    #expect(result.output["secretCount"] == .int(1))
    #expect(result.output["admins"] == text("root"))
    #expect(
      result.output["users"]
        == .list(
          ["alice", "bob"].map { .members([.init("realm", .string("r.example")), .init("name", .string($0))]) }))
    #expect(
      result.output["realms"]
        == .list(
          [("r.example", 2, 0), ("s.example", 1, 1)].map { name, users, secrets in
            .members([
              .init("name", .string(name)), .init("users", .int(Int64(users))), .init("secrets", .int(Int64(secrets))),
            ])
          }))
    let shown = result.output.json.text()
    for secret in ["the-shared-secret", "pass-alice", "admin-password"] { #expect(!shown.contains(secret)) }
    // The key of alice: MD5 of alice:r.example:pass-alice, as coturn keeps it.
    let key = try await Command("turnadmin", ["-k", "-u", "alice", "-r", "r.example", "-p", "pass-alice"]).run()
    let digits = try #require(key.standardOutput.text.firstMatch(of: /0x([0-9a-f]{32})/)?.1)
    #expect(!shown.contains(digits))
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
    #expect(folder.names() == ["turndb"])
  }

  @Test("A file that is not there is an error, and is not made")
  func missing() async throws {
    let error = try await stepError { _ = try await run("coturn.users", [.init("turndb", .string(path))]) }
    #expect(error.kind == .broken && error.finding.code == "coturn.turndbMissing")
    #expect(folder.names() == [])
    let named = try await stepError { _ = try await look("userdb=\(path)") }
    #expect(named.finding.code == "coturn.turndbMissing")
    #expect(folder.names() == ["turnserver.conf"])
  }

  @Test("What is no database of users is an error, quickly, also if it is a FIFO, a folder or a view without end")
  func strange() async throws {
    try folder.write("no database at all\n" + String(repeating: "x", count: 8192), to: "text")
    try folder.write("", to: "empty")
    mkfifo(folder.path + "/fifo", 0o600)
    try await tool(
      "python3", "-c",
      """
      import sqlite3, sys
      d = sqlite3.connect(sys.argv[1])
      d.execute("CREATE VIEW turnusers_lt AS WITH RECURSIVE r(realm, name) AS "
        "(SELECT '', 0 UNION ALL SELECT '', name + 1 FROM r) SELECT * FROM r")
      """, folder.path + "/endless")
    for name in ["text", "empty", "fifo", "endless", "."] {
      let error = try await stepError {
        _ = try await run("coturn.users", [.init("turndb", .string("\(folder.path)/\(name)"))])
      }
      #expect(error.kind == .broken && error.finding.code == "coturn.turndbUnreadable", "\(name)")
    }
  }

  @Test("Hostile names stay text, and a file in WAL mode is read without a trace beside it")
  func hostile() async throws {
    try await tool(
      "python3", "-c",
      """
      import sqlite3, sys
      d = sqlite3.connect(sys.argv[1])
      d.execute("PRAGMA journal_mode=WAL")
      d.execute("CREATE TABLE turnusers_lt (realm varchar(127) default '', name varchar(512), hmackey char(128))")
      d.execute("INSERT INTO turnusers_lt VALUES ('r', CAST(X'61FF1B5B' AS TEXT), 'KEY-OF-NOBODY')")
      d.execute("INSERT INTO turnusers_lt VALUES (NULL, ?, NULL)", ("n" * 100000,))
      d.commit()
      d.close()
      """, path)
    let result = try await run("coturn.users", [.init("turndb", .string(path))])
    guard case .list(let users)? = result.output["users"], users.count == 2 else { throw NothingThrown() }
    guard case .string(let long)? = users[0]["name"] else { throw NothingThrown() }
    #expect(long.count == 512)
    #expect(users[1]["name"] == .string("a\u{FFFD}\u{1B}["))
    #expect(!result.output.json.text().contains("KEY-OF-NOBODY"))
    #expect(folder.names() == ["turndb"])
  }

  @Test("PostgreSQL lets coturn in with the right password alone, and the password is nowhere")
  func postgresql() async throws {
    let server = try DatabaseServer.postgresql()
    func settings(_ password: String) -> String {
      "psql-userdb=\"host=127.0.0.1 port=\(server.port) user=turn dbname=postgres password=\(password)\""
    }
    let good = try await look(settings(DatabaseServer.password))
    #expect(good.objection == nil)
    #expect(try database(good)["reached"] == .string("loggedIn"))
    #expect(try database(good)["place"] == .string("127.0.0.1:\(server.port)"))
    #expect(!good.output.json.text().contains(DatabaseServer.password))
    let bad = try await look(settings("hush-hush-hush"))
    #expect(bad.objection?.severity == .fail && bad.objection?.finding.code == "coturn.databaseRefusesLogIn")
    #expect(try database(bad)["reached"] == .string("connected"))
    #expect(bad.objection?.finding.message.contains("hush-hush-hush") == false)
  }

  @Test("MariaDB lets coturn in with the right password alone, and its own database")
  func mariadb() async throws {
    let server = try DatabaseServer.mariadb()
    func settings(_ password: String, _ database: String = "coturn") -> String {
      "mysql-userdb=\"host=127.0.0.1 port=\(server.port) user=turn dbname=\(database) password=\(password)\""
    }
    let good = try await look(settings(DatabaseServer.password))
    #expect(good.objection == nil, "\(String(describing: good.objection))")
    #expect(try database(good)["reached"] == .string("loggedIn"))
    let bad = try await look(settings("hush-hush-hush"))
    #expect(bad.objection?.finding.code == "coturn.databaseRefusesLogIn")
    #expect(bad.objection?.finding.message.contains("hush-hush-hush") == false)
    let elsewhere = try await look(settings(DatabaseServer.password, "nowhere"))
    #expect(elsewhere.objection?.finding.code == "coturn.databaseRefusesLogIn")
    let encrypted = try await look(settings("AAAA") + "\nsecret-key-file=/etc/turn.key")
    #expect(encrypted.objection?.severity == .warn && encrypted.objection?.finding.code == "coturn.databaseUntested")
    #expect(try database(encrypted)["reached"] == .string("connected"))
  }

  @Test("Redis lets coturn in with the right password alone, for users and for statistics")
  func redis() async throws {
    let server = try DatabaseServer.redis()
    for option in ["redis-userdb", "redis-statsdb"] {
      func settings(_ password: String) -> String {
        "userdb=\(path)\n\(option)=\"ip=127.0.0.1 dbname=2 port=\(server.port) \(password)\""
      }
      try await tool("turnadmin", "-a", "-b", path, "-u", "alice", "-r", "r.example", "-p", "x")
      let good = try await look(settings("password=\(DatabaseServer.password)"))
      #expect(good.objection == nil)
      #expect(try database(good)["reached"] == .string("loggedIn"))
      for password in ["password=hush-hush-hush", ""] {
        let bad = try await look(settings(password))
        #expect(bad.objection?.finding.code == "coturn.databaseRefusesLogIn")
        #expect(try database(bad)["reached"] == .string("connected"))
        #expect(bad.objection?.finding.message.contains("hush-hush-hush") == false)
      }
    }
  }

  @Test("MongoDB is connected to and no further: untested, and never a pass")
  func mongodb() async throws {
    let standIn = try ListeningPort()
    let result = try await look("mongo-userdb=\"mongodb://turn:hush@127.0.0.1:\(standIn.port)/coturn\"")
    #expect(result.objection?.severity == .warn && result.objection?.finding.code == "coturn.databaseUntested")
    #expect(try database(result)["reached"] == .string("connected"))
    #expect(!result.output.json.text().contains("hush"))
  }

  @Test("A name without an address, a closed port and a database that hangs or drops the connection fail by name")
  func unreachable() async throws {
    let unresolved = try await look("redis-userdb=\"host=no-such-host.invalid\"", deadline: .seconds(2))
    #expect(unresolved.objection?.finding.code == "coturn.databaseUnreachable")
    #expect(try database(unresolved)["reached"] == .null)
    let closed = try await look("psql-userdb=\"host=127.0.0.1 port=1 dbname=coturn\"")
    #expect(closed.objection?.finding.code == "coturn.databaseUnreachable")
    #expect(try database(closed)["reached"] == .string("resolved"))
    let silent = try ListeningPort()
    func expectHanging(_ setting: String) async throws {
      let hanging = try await look(
        "\(setting)=\"host=127.0.0.1 port=\(silent.port)\"", name: setting, deadline: .seconds(5))
      #expect(hanging.objection?.severity == .fail, "\(setting)")
      #expect(try database(hanging)["reached"] == .string("connected"), "\(setting)")
    }
    async let postgres: Void = expectHanging("psql-userdb")
    async let maria: Void = expectHanging("mysql-userdb")
    async let redis: Void = expectHanging("redis-userdb")
    _ = try await (postgres, maria, redis)
    let dropping = try ListeningPort(answer: [])
    for setting in ["psql-userdb", "mysql-userdb", "redis-userdb"] {
      // Clients of databases try again as long as they may.
      let dropped = try await look(
        "\(setting)=\"host=127.0.0.1 port=\(dropping.port) password=hush\"", deadline: .seconds(3))
      #expect(dropped.objection?.finding.code == "coturn.databaseRefusesLogIn", "\(setting)")
    }
    let babbling = try ListeningPort(answer: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    let wrong = try await look("redis-userdb=\"host=127.0.0.1 port=\(babbling.port)\"")
    #expect(wrong.objection?.finding.message.contains("does not speak Redis's protocol") == true)
  }

  @Test("A client library that is not installed leaves the log-in untested")
  func noLibrary() throws {
    let standIn = try ListeningPort()
    for (option, package) in [("psql-userdb", "libpq5"), ("mysql-userdb", "libmariadb3")] {
      let setting = try #require(
        DatabaseSetting(option: option, value: "host=127.0.0.1 port=\(standIn.port)", line: 1))
      let look = DatabaseLook(
        setting, try ConnectionString(setting), encryptsPassword: false, time: .seconds(5),
        libraries: .init(postgresql: "libnone.so.5", mariadb: "libnone.so.3"))
      #expect(look.reached == .connected)
      #expect(look.untested?.contains(package) == true)
      #expect(look.objection?.isFailure == false)
    }
  }

  @Test("Variables that fill in what the connection string leaves out keep PostgreSQL from being logged in to")
  func environment() throws {
    func standIn(_ value: String, _ set: String) throws -> String? {
      let setting = try #require(DatabaseSetting(option: "psql-userdb", value: value, line: 1))
      return DatabaseLook.standIn(for: try ConnectionString(setting)) { $0 == set }
    }
    #expect(try standIn("host=db user=turn", "PGPASSWORD") == "PGPASSWORD")
    #expect(try standIn("host=db user=turn password=hush", "PGPASSWORD") == nil)
    #expect(try standIn("host=db user=turn password=hush", "PGUSER") == nil)
    #expect(try standIn("postgresql://turn:hush@db/coturn", "PGSERVICE") == "PGSERVICE")
  }

  @Test("Time is counted to the millisecond")
  func milliseconds() { #expect(DatabaseLook.milliseconds(.milliseconds(800)) == 800) }

  @Test("A connection string that coturn cannot use fails, and is not quoted")
  func invalid() async throws {
    let error = try await stepError { _ = try await look("mysql-userdb=\"host=db password=hush hush\"") }
    #expect(error.kind == .failed && error.finding.code == "coturn.connectionStringInvalid")
    #expect(!error.finding.message.contains("hush"))
  }

  @Test("A step without anything to look at is refused before it runs")
  func nothing() {
    #expect(
      CoturnUsers.objection(to: .init(config: nil, turndb: nil, limit: 1), within: .seconds(1))?.code
        == "coturn.nothingToLookAt")
  }
}

@Suite("Replies of Redis")
struct RedisReplyTests {
  @Test("are taken whole, however they are cut")
  func cut() throws {
    let bytes = Array("+OK\r\n-ERR no\r\n:42\r\n$-1\r\n*2\r\n$3\r\na\r\n\r\n*1\r\n+x\r\n".utf8)
    let expected: [RedisReply] = [
      .status("OK"), .error("ERR no"), .integer(42), .null,
      .list([.bytes(Array("a\r\n".utf8)), .list([.status("x")])]),
    ]
    for size in 1...bytes.count {
      var reader = RedisReader()
      var replies: [RedisReply] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        try reader.take(Array(bytes[start..<min(start + size, bytes.count)]))
        while let reply = try reader.next() { replies.append(reply) }
      }
      #expect(replies == expected)
    }
  }

  @Test(
    "that are none, or too large, are refused",
    arguments: [
      "HTTP/1.1 200 OK\r\n", ":x\r\n", "$99999999\r\n", "*99999999\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+x\r\n", "+x\n",
    ])
  func malformed(_ text: String) throws {
    var reader = RedisReader()
    try reader.take(Array(text.utf8))
    #expect(throws: RedisReader.Malformed.self) { try reader.next() }
  }

  @Test("without end are refused")
  func endless() throws {
    var reader = RedisReader()
    #expect(throws: RedisReader.Malformed.self) {
      while true {
        try reader.take([UInt8](repeating: 0x2B, count: 60_000))
        _ = try reader.next()
      }
    }
  }
}

/// A port of 127.0.0.1 on which something listens: silent, or with one answer to everybody before it closes.
final class ListeningPort: Sendable {
  let port: UInt16
  private let descriptor: CInt
  /// Its thread then closes the descriptor: elsewhere the number could be another's while it is about to accept.
  private let answers: Bool

  init(answer: [UInt8]? = nil) throws {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(isBound)
    self.descriptor = descriptor
    port = UInt16(bigEndian: address.sin_port)
    answers = answer != nil
    guard let answer else { return }
    Thread.detachNewThread {
      defer { close(descriptor) }
      while true {
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else { return }
        send(client, answer, answer.count, CInt(MSG_NOSIGNAL))
        shutdown(client, CInt(SHUT_WR))
        // What was not read would turn the close into a reset, which may overtake the answer.
        var bytes = [UInt8](repeating: 0, count: 1024)
        while recv(client, &bytes, bytes.count, 0) > 0 {}
        close(client)
      }
    }
  }

  deinit {
    shutdown(descriptor, CInt(SHUT_RDWR))
    if !answers { close(descriptor) }
  }
}
