/// What a client knows of a server's authentication: its last challenge, and the key derived from it.
package struct AuthenticationSession: Sendable {
  package let credentials: LongTermCredentials?
  package private(set) var realm: String?
  package private(set) var nonce: Nonce?
  private var offered: PasswordAlgorithms?
  private var chosen: PasswordAlgorithm?
  private(set) var key: IntegrityKey?

  package init(credentials: LongTermCredentials?) { self.credentials = credentials }

  /// Whether requests can carry credentials.
  package var isChallenged: Bool { key != nil && nonce != nil }

  /// Pretends a challenge that was never received on this connection, to see its nonce refused.
  package mutating func assume(realm: String, nonce: Nonce) {
    guard let credentials else { return }
    self.realm = realm
    self.nonce = nonce
    key = IntegrityKey(username: credentials.username, realm: realm, password: credentials.password)
  }

  enum ChallengeProblem: Error {
    /// Realm or nonce is missing.
    case incomplete
    /// The algorithms that the nonce announces are not there; or those are not that an earlier challenge offered.
    case bidDown
    case noKnownAlgorithm([PasswordAlgorithm])
    case malformed(DecodingError)
  }

  /// Takes over realm, nonce and algorithms of a 401 or 438 (RFC 8489, section 9.2.5).
  mutating func accept(_ challenge: Message) throws(ChallengeProblem) {
    let read: (realm: Realm?, nonce: Nonce?, offered: PasswordAlgorithms?)
    do throws(DecodingError) {
      read = try (challenge.attribute(), challenge.attribute(), challenge.attribute())
    } catch {
      throw .malformed(error)
    }
    guard let nonce = read.nonce, let realm = read.realm?.text ?? self.realm, let credentials else {
      throw .incomplete
    }
    if nonce.securityFeatures.contains(.passwordAlgorithms), read.offered == nil { throw .bidDown }
    // The list counts only if the nonce vouches for it.
    let list = nonce.securityFeatures.contains(.passwordAlgorithms) ? read.offered : nil
    let algorithm = list.map { $0.algorithms.first(where: Self.known.contains) } ?? .md5
    guard let algorithm,
      let key = IntegrityKey(
        username: credentials.username, realm: realm, password: credentials.password, algorithm: algorithm)
    else { throw .noKnownAlgorithm(read.offered?.algorithms ?? []) }
    // A challenge need not be signed: once SHA-256 was offered, none without it is followed.
    if Self.offersSHA256(offered), !Self.offersSHA256(list) { throw .bidDown }
    self.nonce = nonce
    self.realm = realm
    self.offered = list
    self.chosen = list == nil ? nil : algorithm
    self.key = key
  }

  private static func offersSHA256(_ list: PasswordAlgorithms?) -> Bool {
    list?.algorithms.contains(.sha256) ?? false
  }

  private static let known: Set<PasswordAlgorithm> = [.sha256, .md5]

  /// Appends user, realm, nonce and the integrity code that the last challenge asks for.
  func sign(_ writer: inout MessageWriter) {
    guard let credentials, let realm, let nonce, let key else { return }
    if nonce.securityFeatures.contains(.usernameAnonymity) {
      writer.append(
        Userhash(
          username: OpaqueString.prepared(credentials.username), realm: OpaqueString.prepared(realm)))
    } else {
      writer.append(Username(credentials.username))
    }
    writer.append(Realm(realm))
    writer.append(nonce)
    if let offered, let chosen {
      writer.append(offered)
      writer.append(chosen)
      writer.appendIntegritySHA256(key: key)
    } else {
      writer.appendIntegrity(key: key)
    }
  }
}
