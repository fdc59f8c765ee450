import Coturn
import Schema
import Testing

@Suite("Where coturn keeps its users")
struct UserSourcesTests {
  @Test("The last of several databases counts, statistics apart, and users of the file itself are named")
  func last() {
    let sources = UserSources(
      configuration: Array(
        """
        # psql-userdb="host=ignored"
        userdb=/var/lib/turn/turndb
        user=alice:0x1234
          user = bob:secret
        psql-userdb="host=db dbname=coturn user=turn password=hush connect_timeout=30"
        redis-statsdb="ip=127.0.0.1 dbname=2"
        """.utf8))
    #expect(sources.users?.option == "psql-userdb")
    #expect(sources.users?.line == 5)
    #expect(sources.replaced.map(\.option) == ["userdb"])
    #expect(sources.statistics?.isForStatistics == true)
    #expect(sources.names == ["alice", "bob"])
    #expect(!sources.encryptsPassword)
  }

  @Test("Nothing is shown of a setting's value")
  func hidden() throws {
    let setting = try #require(DatabaseSetting(option: "psql-userdb", value: "password=hush", line: 1))
    #expect(!"\(setting)".contains("hush"))
    #expect(!String(reflecting: setting).contains("hush"))
  }
}

@Suite("A connection string")
struct ConnectionStringTests {
  private func read(_ option: String, _ value: String) throws -> ConnectionString {
    try ConnectionString(try #require(DatabaseSetting(option: option, value: value, line: 1)))
  }

  @Test(
    "of coturn says where the database is",
    arguments: [
      ("mysql-userdb", "host=db.example dbname=coturn user=turn password=hush port=3307", "db.example:3307"),
      ("mysql-userdb", "dbname=coturn user=turn", "127.0.0.1:3306"),
      ("redis-userdb", "ip=10.0.0.1 dbname=2 password=hush port=6380 connect_timeout=30", "10.0.0.1:6380"),
      ("redis-statsdb", "", "127.0.0.1:6379"),
      ("psql-userdb", "host=db.example dbname=coturn", "db.example:5432"),
      ("psql-userdb", "host = 'db.example' port= 5433", "db.example:5433"),
      ("psql-userdb", "dbname=coturn", "/var/run/postgresql/.s.PGSQL.5432"),
      ("psql-userdb", "host=/tmp/pg port=5433", "/tmp/pg/.s.PGSQL.5433"),
      ("psql-userdb", "host=name.example hostaddr=10.0.0.9", "10.0.0.9:5432"),
      ("psql-userdb", "postgresql://turn:hush@db.example:5433/coturn?sslmode=require", "db.example:5433"),
      ("psql-userdb", "postgres://%2Ftmp%2Fpg/coturn", "/tmp/pg"),
      ("mongo-userdb", "mongodb://turn:hush@[2001:db8::1]:27018/coturn", "[2001:db8::1]:27018"),
      ("mongo-userdb", "mongodb://db.example/coturn", "db.example:27017"),
    ])
  func endpoint(_ option: String, _ value: String, _ place: String) throws {
    #expect(try read(option, value).endpoints.map(\.description) == [place])
  }

  @Test("of PostgreSQL may name several hosts, each with its port")
  func several() throws {
    let connection = try read("psql-userdb", "host=a,b port=5433,5434")
    #expect(connection.endpoints == [.host("a", port: 5433), .host("b", port: 5434)])
  }

  @Test("holds whom to log in as, quoted and escaped as each client has it")
  func account() throws {
    let words = try read("mysql-userdb", "user=turn password=a'b\"c dbname=coturn ca=/etc/ca.pem")
    #expect(words.user == "turn" && words.password?.revealText() == "a'b\"c" && words.database == "coturn")
    #expect(words.files == ["ca": "/etc/ca.pem"])
    let keywords = try read("psql-userdb", "user=turn password='two words\\'s' dbname=coturn")
    #expect(keywords.password?.revealText() == "two words's" && keywords.database == "coturn")
    let uri = try read("mongo-userdb", "mongodb://turn:p%40ss@db/coturn")
    #expect(uri.user == "turn" && uri.password?.revealText() == "p@ss" && uri.database == "coturn")
    #expect(try read("redis-userdb", "tls=true").tls)
    #expect(try !read("redis-userdb", "tls=0").tls)
  }

  @Test(
    "that its client refuses is refused, and nothing of it is quoted",
    arguments: [
      ("mysql-userdb", "host=db password=hush hush"), ("mysql-userdb", "hush=hush"), ("redis-userdb", "port=hush"),
      ("redis-statsdb", "hush"), ("psql-userdb", "host=db hush"), ("psql-userdb", "password='hush"),
      ("psql-userdb", "port=99999 password=hush"), ("mongo-userdb", "hush"), ("mongo-userdb", "mongodb://db:hush/"),
      ("userdb", "/var/lib/turn/turndb"),
    ])
  func refused(_ option: String, _ value: String) throws {
    let setting = try #require(DatabaseSetting(option: option, value: value, line: 1))
    let flaw = #expect(throws: ConnectionString.Flaw.self) { try ConnectionString(setting) }
    #expect(flaw?.message.text.contains("hush") == false)
    #expect(flaw?.message.text.last == ".")
  }

  @Test("of hostile bytes is read or refused")
  func hostile() throws {
    let pieces = [
      "=", "'", "\\", "%", "%2", "host", "[", "]", ":", ",", "@", "/", "?", "\u{0}", " ", "\u{202E}", "port",
    ]
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let value = (0..<Int.random(in: 0...20, using: &generator)).map { _ in pieces.randomElement() ?? "" }.joined()
      for option in ["psql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb"] {
        for text in [value, "postgresql://\(value)", "mongodb://\(value)"] { _ = try? read(option, text) }
      }
    }
  }
}
