import Coturn
package import Journal
import Processes
import Schema
package import Steps

/// Reads the sessions that coturn publishes to Redis.
package struct CoturnStatistics: StepModule {
  package struct Input: Sendable {
    package var config: String
    package var listen: Duration
    package var limit: Int
  }

  struct Session: Hashable, Sendable {
    var id: String
    var realm: String?
    var user: String
    var state: String
    var lifetime: Duration?
    var transport: String?
    var client: String?
    var server: String?
    var tls: String?
    var receivedBytes: Int?
    var sentBytes: Int?
    var receivedBytesOfPeers: Int?
    var sentBytesOfPeers: Int?

    static let record = Record(
      Self.init,
      Field("id", \.id, .string, "Its id; ids begin again with the server."),
      Field("realm", \.realm, .optional(.string), "Its realm."),
      Field("user", \.user, .string, "Its user."),
      Field("state", \.state, .string, "The last that was told: new, refreshed, deleted."),
      Field("lifetime", \.lifetime, .optional(.duration), "The lifetime that it got then."),
      Field("transport", \.transport, .optional(.string), "What the client uses; absent: 4.5.2 or before."),
      Field("client", \.client, .optional(.string), "The client's address."),
      Field("server", \.server, .optional(.string), "The server's address."),
      Field("tls", \.tls, .optional(.string), "The version of TLS or DTLS."),
      Field("receivedBytes", \.receivedBytes, .optional(.byteSize), "Bytes from the client while it was listened to."),
      Field("sentBytes", \.sentBytes, .optional(.byteSize), "Bytes to the client."),
      Field("receivedBytesOfPeers", \.receivedBytesOfPeers, .optional(.byteSize), "Bytes from peers."),
      Field("sentBytesOfPeers", \.sentBytesOfPeers, .optional(.byteSize), "Bytes to peers.")
    )
  }

  package struct Output: Sendable {
    var count: Int
    var sessions: [Session]
    var byTransport: [String: Int]
    var deleted: Int
    var messages: Int
    var unreadable: Int
  }

  package static let declaration = ModuleDeclaration(
    "coturn.statistics", "Reads the sessions that coturn publishes to Redis (redis-statsdb).",
    discussion: """
      Each allocation has a key with its state from its beginning to its end. A server that is killed leaves its keys behind,
      and clears them with its next start. Traffic is only published, every 4096 packets and at the end of a session: with
      `listen` it is added up for that time. Nothing is written to Redis.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field(
        "config", \.config, .path, default: "/etc/turnserver.conf",
        "The server's turnserver.conf, with `redis-statsdb`."),
      Field(
        "listen", \.listen, .duration.within(.zero ... .seconds(3600)), default: .zero,
        "How long to listen for what is published."),
      Field("limit", \.limit, .int.within(0...100_000), default: 100, "How many sessions to show.")
    ),
    output: Record(
      Output.init,
      Field("count", \.count, .int, "How many sessions there are."),
      Field("sessions", \.sessions, .list(.record(Session.record)), "The first of them, by id."),
      Field("byTransport", \.byTransport, .map(.int), "How many of them use what."),
      Field("deleted", \.deleted, .int, "How many ended while it was listened."),
      Field("messages", \.messages, .int, "How much was published meanwhile."),
      Field("unreadable", \.unreadable, .int, "Keys and messages that are not coturn's.")
    ),
    examples: [
      .init(
        "There is room for more sessions", with: "config: /etc/turnserver.conf",
        expect: ["output.count < 900"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.listen > .zero, input.listen >= timeout else { return nil }
    return Finding(
      "coturn.listenTooLong",
      "`listen` (\(durationLiteral(input.listen))) must be shorter than the step's timeout (\(durationLiteral(timeout)))",
      advice: "Give the step a `timeout` that is a few seconds longer than `listen`, or a shorter `listen`.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let end = context.deadline - .milliseconds(200)
    let looked = await onAbandonedThread { () -> Result<Output, StepError> in
      do throws(StepError) {
        let output = try Self.look(input, until: end)
        return .success(output)
      } catch {
        return .failure(error)
      }
    }
    guard let looked else {
      throw StepError(.interrupted, Finding("coturn.interrupted", "The look at coturn was ended before its end."))
    }
    return .done(try looked.get())
  }

  private static func look(_ input: Input, until end: ContinuousClock.Instant) throws(StepError) -> Output {
    guard let setting = UserSources(configuration: try CoturnUsers.bytes(of: input.config)).statistics else {
      throw .notStarted(
        "coturn.noStatistics", "\(input.config) names no Redis for statistics.",
        advice: "The option is redis-statsdb; coturn publishes nothing without it.")
    }
    let account: ConnectionString
    do throws(ConnectionString.Flaw) { account = try ConnectionString(setting) } catch {
      throw .failed(
        "coturn.connectionStringInvalid",
        "\(input.config):\(setting.line): coturn cannot use the value of \(setting.option). \(error.message)",
        advice: "Write it as the example in turnserver.conf does.")
    }
    guard let endpoint = account.endpoints.first, !account.tls else {
      throw .notStarted(
        "coturn.databaseUntested", "\(setting.option) asks for TLS, which this step cannot do.",
        advice: "Look by hand: redis-cli --tls.")
    }
    var sessions = StatisticsSessions()
    var isWhole = true
    do throws(RedisConnection.Failure) {
      let reading = try connect(endpoint, account, until: end)
      try sessions.read(reading)
      if input.listen > .zero {
        let listening = try connect(endpoint, account, until: end)
        isWhole = try sessions.listen(listening, for: input.listen)
      }
    } catch {
      throw Self.error(error, endpoint, account.password)
    }
    guard isWhole else {
      throw StepError(
        .interrupted,
        Finding(
          "coturn.listenCut", "the step was to end before it had listened for \(durationLiteral(input.listen))",
          advice: "Give the step a `timeout` that is a few seconds longer than `listen`, or a shorter `listen`."))
    }
    return sessions.output(limit: input.limit)
  }

  private static func connect(
    _ endpoint: ConnectionString.Endpoint, _ account: ConnectionString, until end: ContinuousClock.Instant
  ) throws(RedisConnection.Failure) -> RedisConnection {
    let socket: DatabaseSocket
    do throws(DatabaseSocket.Failure) { socket = try DatabaseSocket(endpoint, until: end) } catch {
      throw .socket(error)
    }
    let connection = RedisConnection(socket)
    try connection.logIn(account)
    return connection
  }

  private static func error(
    _ failure: RedisConnection.Failure, _ endpoint: ConnectionString.Endpoint, _ password: Secret?
  ) -> StepError {
    let reason =
      switch failure {
      case .socket(let failure): DatabaseLook.text(failure)
      case .refused(let text): SecretMasking([password].compactMap(\.self)).masked(text)
      case .malformed: "what answers does not speak Redis's protocol"
      }
    return .broken(
      "coturn.statisticsUnreadable", "Redis at \(endpoint) cannot be read: \(reason).",
      advice: "Check the connection string, and whether Redis runs. Until then coturn publishes nothing either.")
  }
}

/// Sessions by what Redis knows of them.
struct StatisticsSessions {
  private struct Entry {
    var key: StatisticsKey
    var status: StatisticsStatus?
    var client: CallSession.Traffic?
    var peer: CallSession.Traffic?
  }

  /// More than one server holds.
  private static let most = 100_000

  private var entries: [String: Entry] = [:]
  private var deleted = 0
  private var messages = 0
  private var unreadable = 0

  private static func name(_ key: StatisticsKey) -> String { "\(key.session)/\(key.realm ?? "")/\(key.user)" }

  /// Takes the keys that there are, without stopping Redis as KEYS does.
  mutating func read(_ redis: RedisConnection) throws(RedisConnection.Failure) {
    var cursor = "0"
    repeat {
      let reply = try redis.command(["SCAN", cursor, "MATCH", "turn/*/allocation/*/status", "COUNT", "1000"])
      if case .error(let text) = reply { throw .refused(text) }
      guard let parts = reply.elements, parts.count == 2, let next = parts[0].text, let keys = parts[1].elements else {
        throw .malformed
      }
      cursor = next
      let names = keys.compactMap(\.text)
      guard !names.isEmpty else { continue }
      guard let values = try redis.command(["MGET"] + names).elements, values.count == names.count else {
        throw .malformed
      }
      for (name, value) in zip(names, values) {
        guard let key = StatisticsKey(name), key.kind == .status else {
          unreadable += 1
          continue
        }
        // It ended in between.
        guard let text = value.text else { continue }
        update(key) { $0.status = StatisticsStatus(text) }
      }
    } while cursor != "0"
  }

  /// Takes what is published for a time that begins once Redis has confirmed the subscription.
  ///
  /// - Returns: whether that time was over before the connection's.
  mutating func listen(_ redis: RedisConnection, for time: Duration) throws(RedisConnection.Failure) -> Bool {
    if case .error(let text) = try redis.command(["PSUBSCRIBE", "turn/*"]) { throw .refused(text) }
    let stop = ContinuousClock.now + time
    let isWhole = stop <= redis.end
    redis.end = min(stop, redis.end)
    while ContinuousClock.now < redis.end {
      do throws(RedisConnection.Failure) {
        take(try redis.next())
      } catch {
        guard error == .socket(.outOfTime) else { throw error }
      }
    }
    return isWhole
  }

  private mutating func take(_ message: RedisReply) {
    guard let parts = message.elements, parts.count == 4, parts[0].text == "pmessage" else { return }
    messages += 1
    guard let key = parts[2].text.flatMap(StatisticsKey.init), let value = parts[3].text else {
      unreadable += 1
      return
    }
    switch key.kind {
    case .status:
      let status = StatisticsStatus(value)
      guard status.state == "deleted" else { return update(key) { $0.status = status } }
      deleted += 1
      entries[Self.name(key)] = nil
    case .traffic, .peerTraffic:
      guard let traffic = CallSession.Traffic(published: value) else {
        unreadable += 1
        return
      }
      update(key) { entry in
        if key.kind == .traffic { entry.client = entry.client.map { $0 + traffic } ?? traffic }
        if key.kind == .peerTraffic { entry.peer = entry.peer.map { $0 + traffic } ?? traffic }
      }
    // Of the whole session: what was added up is a part of it.
    case .totalTraffic, .totalPeerTraffic: break
    }
  }

  private mutating func update(_ key: StatisticsKey, _ change: (inout Entry) -> Void) {
    let name = Self.name(key)
    guard entries[name] != nil || entries.count < Self.most else { return }
    change(&entries[name, default: Entry(key: key)])
  }

  func output(limit: Int) -> CoturnStatistics.Output {
    let open = entries.values.filter { $0.status != nil }.sorted { $0.key.session < $1.key.session }
    let sessions = open.prefix(limit).map { entry in
      CoturnStatistics.Session(
        id: String(entry.key.session), realm: entry.key.realm, user: entry.key.user, state: entry.status?.state ?? "",
        lifetime: entry.status?.lifetime.map { .seconds(min($0, 1 << 32)) }, transport: entry.status?.type,
        client: entry.status?.remote, server: entry.status?.local, tls: entry.status?.tls,
        receivedBytes: entry.client?.receivedBytes, sentBytes: entry.client?.sentBytes,
        receivedBytesOfPeers: entry.peer?.receivedBytes, sentBytesOfPeers: entry.peer?.sentBytes)
    }
    var byTransport: [String: Int] = [:]
    for entry in open { byTransport[entry.status?.type ?? "unknown", default: 0] += 1 }
    return CoturnStatistics.Output(
      count: open.count, sessions: sessions, byTransport: byTransport, deleted: deleted, messages: messages,
      unreadable: unreadable)
  }
}
