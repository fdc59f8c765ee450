package import Addresses
import Logs
import Schema

/// What a log of coturn says of the two sessions of one call of ours, which carried a token that nobody else knows.
///
/// Records without a session id (a relayed address, a wrong password up to 4.6.2) tie through what the sessions' own records
/// name: port and user.
package struct CallRecords: Hashable, Sendable {
  /// What carried the token.
  package enum Tie: Hashable, Sendable {
    /// ORIGIN, as ``origin(of:token:)`` makes it.
    case origin(String)
    /// The part behind the colon of a time-limited user name, `EXPIRY:TOKEN`.
    case userName(String)
  }

  /// In the order of their first records.
  package private(set) var sessions: [CallSession] = []
  /// Relayed transport addresses that the server opened meanwhile, anybody's.
  package private(set) var openedRelays: [TransportAddress] = []
  /// Whether the server said meanwhile that it has no relay port left.
  package private(set) var lacksPorts = false
  /// Whether it logs what it does with its sessions (`verbose`); false if there was no session at all.
  package private(set) var isVerbose = false
  /// Records that were read.
  package private(set) var records = 0

  /// The ORIGIN of one of the two sessions. Servers cut the path off, so that the token goes into the host.
  package static func origin(of role: CallSession.Role, token: String) -> String {
    "https://\(role.rawValue)-\(token).runbook.invalid"
  }

  package init() {}

  /// - Parameter log: lines in any envelope, from before the call on.
  package init(_ log: some Sequence<UInt8>, tie: Tie) {
    let lines = String(decoding: Array(log), as: UTF8.self).split(whereSeparator: \.isNewline).map(Self.message)
    let ofSessions = lines.map(SessionRecord.init)
    var places: [UInt64: Int] = [:]
    for record in ofSessions {
      guard let record else { continue }
      guard places[record.id] == nil, let role = Self.role(of: record.text, tie) else { continue }
      places[record.id] = sessions.count
      sessions.append(CallSession(id: record.id, role: role))
    }
    for (line, record) in zip(lines, ofSessions) {
      records += 1
      if let record {
        isVerbose = isVerbose || record.text.contains(": incoming packet ")
        if let place = places[record.id] { sessions[place].take(record.text) }
      } else if let place = line.range(of: "Local relay addr: "),
        let opened = TransportAddress(String(line[place.upperBound...]))
      {
        openedRelays.append(opened)
      }
      lacksPorts = lacksPorts || line.contains("no available ports")
    }
    for line in lines { takeRefusal(line) }
    if case .userName = tie { tellRoles() }
  }

  /// The record in a line of a container's json-file or of `journalctl -o json`; the line itself if it is none.
  private static func message(of line: Substring) -> Substring {
    guard line.first == "{" else { return line }
    let bytes = Array(line.utf8).withUnsafeBytes { LogRecord(json: $0, LogClock(reference: .unixEpoch))?.message }
    guard let bytes else { return line }
    return String(decoding: bytes, as: UTF8.self)[...].prefix { !$0.isNewline }
  }

  /// nil for a record that does not carry the token.
  private static func role(of text: Substring, _ tie: Tie) -> CallSession.Role? {
    switch tie {
    case .origin(let token):
      CallSession.Role.allCases.first { role in
        // 4.6.1 adds the port.
        ["", ":443"].contains { text.contains("origin <\(origin(of: role, token: token))\($0)>") }
      }
    case .userName(let token): text.contains(":\(token)>") ? .sender : nil
    }
  }

  /// Both have one user name: the sender is the one that was there first.
  private mutating func tellRoles() {
    for place in sessions.indices.dropFirst() { sessions[place].role = .echo }
  }

  /// A refusal that up to 4.6.2 names its user or peer alone.
  private mutating func takeRefusal(_ line: Substring) {
    func take(_ reason: CallSession.Credentials, user: String) {
      for place in sessions.indices where sessions[place].user == user && sessions[place].wasRefused(401) {
        sessions[place].credentials = reason
      }
    }
    if let start = line.range(of: "Cannot find credentials of user <"), line.hasSuffix(">") {
      take(.unknownOrExpired, user: String(line[start.upperBound...].dropLast()))
    } else if let start = line.range(of: "check_stun_auth: user "), line.hasSuffix(" credentials are incorrect") {
      take(.wrongPassword, user: String(line[start.upperBound...].dropLast(" credentials are incorrect".count)))
    } else if let start = line.range(of: "A peer IP "), let end = line.range(of: " denied in the range: ") {
      guard start.upperBound <= end.lowerBound else { return }
      let (peer, range) = (line[start.upperBound..<end.lowerBound], line[end.upperBound...])
      for place in sessions.indices where sessions[place].wasRefused(403) {
        sessions[place].deniedRange = "\(range.prefix { $0 != " " }) (peer \(peer))"
      }
    }
  }

  /// Whether nothing more is to come that matters.
  ///
  /// A session that had an allocation ends with its usage, a second after the deletion. A refused one closes after 60 seconds, which
  /// alone tells the client's address over UDP.
  ///
  /// - Parameter refusedOnesToo: whether to wait for the close of refused sessions.
  package func isComplete(refusedOnesToo: Bool) -> Bool {
    guard !sessions.isEmpty else { return false }
    return sessions.allSatisfy { session in
      session.isClosed || !session.isAllocated && !session.refusals.isEmpty && !refusedOnesToo
    }
  }
}

/// One session of the call, as the server saw it.
package struct CallSession: Hashable, Sendable {
  /// Which of the two clients.
  package enum Role: String, Hashable, Sendable, CaseIterable {
    case sender
    case echo
  }

  package enum Credentials: String, Hashable, Sendable, CaseIterable {
    /// No such user in the realm; or an expired user name: both have the same records.
    case unknownOrExpired
    case wrongPassword
  }

  /// Packets and bytes as the server counts them.
  package struct Traffic: Hashable, Sendable {
    package var receivedPackets = 0
    package var receivedBytes = 0
    package var sentPackets = 0
    package var sentBytes = 0

    package init(receivedPackets: Int = 0, receivedBytes: Int = 0, sentPackets: Int = 0, sentBytes: Int = 0) {
      (self.receivedPackets, self.receivedBytes) = (receivedPackets, receivedBytes)
      (self.sentPackets, self.sentBytes) = (sentPackets, sentBytes)
    }
  }

  package struct Refusal: Hashable, Sendable {
    /// As coturn writes it: `ALLOCATE`, `CREATE_PERMISSION`; `message` if the method is not told.
    package var method: String
    package var code: Int
    package var reason: String
  }

  package let id: UInt64
  package internal(set) var role: Role
  package private(set) var realm: String?
  package private(set) var user: String?
  /// 401 without a user: the first is how every session begins.
  package private(set) var challenges = 0
  package private(set) var isAllocated = false
  package private(set) var refusals: [Refusal] = []
  package internal(set) var credentials: Credentials?
  /// The range in which a peer was denied.
  package internal(set) var deniedRange: String?
  /// What went between server and client, control messages among it.
  package private(set) var client: Traffic?
  /// What went between the relayed transport address and peers.
  package private(set) var peer: Traffic?
  package private(set) var clientAddress: String?
  package private(set) var isClosed = false
  package private(set) var closeReason: String?

  init(id: UInt64, role: Role) {
    self.id = id
    self.role = role
  }

  func wasRefused(_ code: Int) -> Bool { refusals.contains { $0.code == code } }

  /// Takes what stands behind `session N: `.
  mutating func take(_ text: Substring) {
    if let place = text.range(of: ": incoming packet ", options: .last) {
      takeAccount(text[..<place.lowerBound])
      takePacket(text[place.upperBound...])
    } else if text.hasPrefix("new, realm=<") {
      isAllocated = true
    } else if text.hasPrefix("usage: ") {
      client = Self.sum(client, text)
    } else if text.hasPrefix("peer usage: ") {
      peer = Self.sum(peer, text)
    } else if text.hasPrefix("closed (2nd stage)") {
      isClosed = true
      // From the end: what stands before it comes from the client.
      guard let reason = text.range(of: ", reason: ", options: .last),
        let remote = text[..<reason.lowerBound].range(of: ", remote ", options: .last)
      else { return }
      closeReason = String(text[reason.upperBound...])
      clientAddress = String(text[remote.upperBound..<reason.lowerBound])
    }
  }

  /// `origin <o> realm <r> user <u>`.
  private mutating func takeAccount(_ text: Substring) {
    guard text.last == ">", let user = text.range(of: "> user <", options: .last),
      let realm = text[..<user.lowerBound].range(of: "realm <", options: .last)
    else { return }
    self.realm = String(text[realm.upperBound..<user.lowerBound])
    let name = String(text[user.upperBound...].dropLast())
    if !name.isEmpty { self.user = name }
  }

  /// `ALLOCATE processed, error 486: Allocation Quota Reached`.
  private mutating func takePacket(_ text: Substring) {
    guard let place = text.range(of: " processed, ") else { return }
    let method = String(text[..<place.lowerBound])
    let result = text[place.upperBound...]
    if result == "success" {
      isAllocated = isAllocated || method == "ALLOCATE"
      return
    }
    guard result.hasPrefix("error ") else { return }
    let words = result.dropFirst("error ".count).split(separator: ":", maxSplits: 1)
    guard let code = words.first.flatMap({ Int($0) }) else { return }
    if code == 401, user == nil {
      challenges += 1
      return
    }
    // 438 asks for the same once more, and errors often stand twice: with the method, then without.
    if code == 438 || method == "message" && wasRefused(code) { return }
    refusals.append(Refusal(method: method, code: code, reason: String(words.last ?? "").trimmingBlanks))
  }

  /// Each record tells of what came since the one before.
  private static func sum(_ before: Traffic?, _ text: Substring) -> Traffic? {
    var figures: [Int] = []
    for name in [" rp=", ", rb=", ", sp=", ", sb="] {
      guard let place = text.range(of: name, options: .last) else { return before }
      guard let figure = Int(text[place.upperBound...].prefix { $0.isASCII && $0.isNumber }) else { return before }
      figures.append(figure)
    }
    let before = before ?? Traffic()
    return Traffic(
      receivedPackets: before.receivedPackets &+ figures[0], receivedBytes: before.receivedBytes &+ figures[1],
      sentPackets: before.sentPackets &+ figures[2], sentBytes: before.sentBytes &+ figures[3])
  }
}

/// A record that begins with `session N: `, behind what the log and its envelope put before it.
private struct SessionRecord {
  let id: UInt64
  let text: Substring

  init?(_ line: Substring) {
    // A user's name may hold the same words: they come later, and behind a bracket.
    guard let place = line.range(of: "session "), !line[..<place.lowerBound].contains("<") else { return nil }
    let digits = line[place.upperBound...].prefix { $0.isASCII && $0.isNumber }
    let rest = line[digits.endIndex...]
    guard let id = UInt64(digits), rest.hasPrefix(": ") else { return nil }
    self.id = id
    text = rest.dropFirst(2)
  }
}
