/// What coturn writes into Redis of an allocation (`redis-statsdb`).
package struct StatisticsKey: Hashable, Sendable {
  /// What is told of it.
  package enum Kind: String, Hashable, Sendable {
    case status
    case traffic
    case peerTraffic = "traffic/peer"
    case totalTraffic = "total_traffic"
    case totalPeerTraffic = "total_traffic/peer"
  }

  package let realm: String?
  package let user: String
  package let session: UInt64
  package let kind: Kind

  /// Reads `turn[/realm/R]/user/U/allocation/N/KIND`; nil if it is none. Names come from clients and may hold slashes: what stands at
  /// the ends decides.
  package init?(_ key: String) {
    guard let place = key[...].range(of: "/allocation/", options: .last) else { return nil }
    let tail = key[place.upperBound...].split(separator: "/", maxSplits: 1)
    guard tail.count == 2, let session = UInt64(tail[0]), let kind = Kind(rawValue: String(tail[1])) else { return nil }
    var head = key[..<place.lowerBound]
    var realm: String?
    if head.hasPrefix("turn/realm/"), let user = head.range(of: "/user/") {
      realm = String(head[..<user.lowerBound].dropFirst("turn/realm/".count))
      head = head[user.upperBound...]
    } else if head.hasPrefix("turn/user/") {
      head = head.dropFirst("turn/user/".count)
    } else {
      return nil
    }
    (self.realm, user, self.session, self.kind) = (realm, String(head), session, kind)
  }
}

/// The value of a status: `new lifetime=600, type=UDP, local=…, remote=…, ssl=NONE, cipher=NONE`.
package struct StatisticsStatus: Hashable, Sendable {
  /// `new`, `refreshed` or `deleted`.
  package let state: String
  /// In seconds.
  package let lifetime: Int?
  /// What the client uses; nil from 4.5.2 and before.
  package let type: String?
  package let local: String?
  package let remote: String?
  package let tls: String?

  package init(_ value: String) {
    let words = value.split(separator: " ", maxSplits: 1)
    state = words.first.map(String.init) ?? ""
    let fields = StatisticsStatus.fields(words.count > 1 ? words[1] : "")
    lifetime = fields["lifetime"].flatMap { Int($0) }
    (type, local, remote) = (fields["type"], fields["local"], fields["remote"])
    tls = fields["ssl"].flatMap { $0 == "NONE" ? nil : $0 }
  }

  fileprivate static func fields(_ text: some StringProtocol) -> [String: String] {
    var fields: [String: String] = [:]
    for field in text.split(separator: ",") {
      let parts = field.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
    }
    return fields
  }
}

extension CallSession.Traffic {
  /// What is published of traffic: `rcvp=12, rcvb=3400, sentp=11, sentb=3300`; nil if it is something else.
  package init?(published value: String) {
    let fields = StatisticsStatus.fields(value)
    guard let received = fields["rcvp"].flatMap({ Int($0) }), let receivedBytes = fields["rcvb"].flatMap({ Int($0) }),
      let sent = fields["sentp"].flatMap({ Int($0) }), let sentBytes = fields["sentb"].flatMap({ Int($0) })
    else { return nil }
    self.init(receivedPackets: received, receivedBytes: receivedBytes, sentPackets: sent, sentBytes: sentBytes)
  }

  package static func + (one: Self, other: Self) -> Self {
    Self(
      receivedPackets: one.receivedPackets &+ other.receivedPackets,
      receivedBytes: one.receivedBytes &+ other.receivedBytes,
      sentPackets: one.sentPackets &+ other.sentPackets, sentBytes: one.sentBytes &+ other.sentBytes)
  }
}
