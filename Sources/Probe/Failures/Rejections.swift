import Addresses
import STUN
package import Schema

extension ProbeFailure {
  /// What an error response means. The number decides, never the phrase, which may be empty.
  ///
  /// - Parameters:
  ///   - server: who sent it.
  ///   - peers: whom the request was about.
  init(
    _ rejection: Rejection, from server: TransportAddress, target: String, peers: [TransportAddress],
    evidence base: [Evidence]
  ) {
    let number = rejection.error.number
    var evidence = base + [Evidence("errorCode", "\(number)")]
    func note(_ name: String, _ value: String?) {
      // coturn counts the NULs that fill up its phrases as a part of them.
      guard let value = value?.trimmingTrailingNULs, !value.isEmpty else { return }
      evidence.append(Evidence(name, value))
    }
    note("errorReason", rejection.error.reason)
    note("realm", rejection.realm)
    note("software", rejection.software)
    note("alternateServer", rejection.alternateServer?.description)
    let alternateFlaw = rejection.alternateServer?.flaw(family: server.unmapped.ip.family)
    note("alternateServerFlaw", alternateFlaw?.rawValue)
    note("unknownAttributes", Evidence.text(of: rejection.unknownAttributes, separator: " "))
    note("signed", rejection.isAuthenticated ? "yes" : "no")
    let meaning = Self.meaning(of: rejection, peers: peers, alternateFlaw: alternateFlaw)
    self.init(
      meaning.code, "\(target) refused \(rejection.method) with \(number): \(meaning.text)", advice: meaning.advice,
      evidence: evidence)
  }

  /// What to do where a server needs credentials and there are none.
  static let adviceToGiveCredentials: Sentence =
    "Give the target a username and credential, or the secret (in the environment or .env: TURN_USERNAME and "
    + "TURN_CREDENTIAL, or TURN_SECRET)."

  /// What to do where a server relays for everybody.
  package static let adviceToAuthenticate: Sentence =
    "It relays for everyone who finds it: look at its authentication (coturn: no-auth, lt-cred-mech)."

  /// Whose allocations a quota counts.
  package static let adviceOnQuota: Sentence =
    "coturn gives back a deleted allocation's share only after some seconds, so that earlier probes and steps of the same "
    + "user count too: a user of its own for the probes helps."

  /// What is said where a server does not accept credentials of which nobody says what they are.
  static let refusesUser: Sentence = "it does not accept the user name and password."

  private static func meaning(
    of rejection: Rejection, peers: [TransportAddress], alternateFlaw: AddressFlaw?
  ) -> (code: Code, text: Sentence, advice: Sentence) {
    if rejection.method == .binding {
      return (
        .stunRejected, "it does not serve plain Binding requests.",
        "Look whether the server demands credentials for STUN, or has STUN switched off."
      )
    }
    switch rejection.error.number {
    case 300 where alternateFlaw != nil:
      return (
        .tryAlternate, "it sends its clients to an address that its alternate server cannot have.",
        "Look at the alternate servers in the server's configuration (coturn: alternate-server). Nobody was asked there."
      )
    case 300:
      return (
        .tryAlternate, "it sends its clients to another server.",
        "Probe the alternate server; follow it only if it is one of yours, since this answer need not be signed."
      )
    case 400 where rejection.method == .channelBind:
      return (
        .badRequest, "it holds the channel or the peer for bound otherwise.",
        "Make a new allocation: after a binding has expired, number and peer stay taken for five minutes."
      )
    case 400 where rejection.method == .allocate && rejection.hadCredentials:
      return (
        .badRequest, "it holds the request for malformed, or does not accept the user name and password.",
        "Look at user name, password and secret first: some servers (those built on pion/turn) answer wrong ones so. Then "
          + "look at the server's log of this second."
      )
    case 400:
      return (.badRequest, "it holds the request for malformed.", "Look at the server's log of this second.")
    case 401 where rejection.hadCredentials && rejection.method != .allocate:
      return (
        .unauthorized, "it does not accept here the user name and password that it accepted for the allocation.",
        "Look at the peers that the server does not permit: some (those built on pion/turn) refuse these so. Otherwise the "
          + "user has expired or was removed meanwhile."
      )
    case 401 where rejection.hadCredentials:
      return (
        .unauthorized, refusesUser,
        "Look at user name and password; with a shared secret, at the secret, the expiry in the user name, and both "
          + "clocks."
      )
    case 401:
      return (
        .credentialsMissing, "it demands credentials, and none were given.",
        adviceToGiveCredentials
      )
    case 403:
      let program = ServerProgram(software: rejection.software)
      return rejection.method == .allocate
        ? (
          .forbidden, program.mayBeCoturn ? "it gives no allocations at the moment." : "it gives us no allocation.",
          program.adviceOnDeniedClients
        )
        : (
          .forbidden, "it does not relay to \(peers.isEmpty ? "this peer" : names(of: peers)).",
          program.mayBeCoturn && peers.contains { SpecialRange($0.ip) == .loopback }
            ? adviceOnLoopbackPeers : program.adviceOnDeniedPeers
        )
    case 420:
      return (
        .notUnderstood, "it does not understand an attribute that the request needs.",
        "Look at the server's version: it lacks what was asked for."
      )
    case 437:
      return rejection.method == .allocate
        ? (
          .allocationMismatch, "our address and port still have an allocation there, on several ports.",
          "Look for a gateway that gives many clients the same address and port, and at the server's session list."
        )
        : (
          .allocationMismatch, "it no longer knows the allocation.",
          "Look whether the server was restarted meanwhile, or a gateway changed our address or port."
        )
    case 438:
      return (
        .staleNonceLoop, "it calls every nonce stale, the ones it has just given too.",
        "Look whether several servers answer behind this address without sharing their nonces, and at their clocks."
      )
    case 440:
      return (
        .familyNotSupported, "it relays no addresses of this family.",
        "Look at the server's relay addresses: one of the family that was asked for is missing."
      )
    case 441:
      return (
        .wrongCredentials, "the allocation belongs to another user.",
        "Use the user name that made the allocation for as long as it lives."
      )
    case 442:
      return (
        .transportNotSupported, "it does not relay this protocol.", "Look whether TCP relaying is switched off there."
      )
    case 443:
      return (
        .peerFamilyMismatch, "the peer's address is not of the relayed address's family.",
        "Ask for an allocation of the peer's family."
      )
    case 486:
      return (
        .quotaReached, "this user, or all together, have as many allocations as they may have.",
        "Wait a minute or more; " + ServerProgram(software: rejection.software).adviceOnQuotas
      )
    case 508:
      return (
        .insufficientCapacity, "it has no relay port or no capacity left.",
        "Wait a minute or more; look at the server's port range and bandwidth limit."
      )
    case 500...599:
      return (.serverError, "it failed itself.", "Look at the server's log of this second.")
    default:
      return (.rejected, "an error that TURN does not define.", "Look at the server's documentation and log.")
    }
  }
}

extension String {
  fileprivate var trimmingTrailingNULs: String {
    String(String.UnicodeScalarView(unicodeScalars.reversed().drop { $0 == "\0" }.reversed()))
  }
}
