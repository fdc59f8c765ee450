import Addresses
import Coturn
import Glibc
import Journal
import Probe
import Processes
import STUN
package import Schema
import Steps

/// How the server's own records of a call are found.
package struct Correlation: Hashable, Sendable {
  /// What carries the token by which the records are told from all others.
  package enum Tie: String, Sendable, CaseIterable {
    case origin
    case userName
  }

  package var log: String
  package var tie: Tie
  package var wait: Duration

  package static let record = Record(
    Self.init,
    Field("log", \.log, .path, "The file into which coturn logs, with `verbose`, on this host."),
    Field(
      "tie", \.tie, .enumeration(Tie.self),
      "What carries a token into the records: `origin`, an ORIGIN attribute (a server may map origins to realms); `userName`, "
        + "the user name that is made of the shared secret."),
    Field(
      "wait", \.wait, .duration.within(.zero ... .seconds(300)), default: .seconds(3),
      "How long to wait for the records at most. Refused sessions close after 60s, and only then is their client's address "
        + "logged over UDP: give 65s and a longer `timeout` if you need it.")
  )
}

/// A call of our own as the server saw it, beside what we saw.
package struct ServerSide: Hashable, Sendable {
  struct Session: Hashable, Sendable {
    var id: String
    var role: CallSession.Role
    var realm: String?
    var user: String?
    var client: String?
    var allocated: Bool
    var refusals: [String]
    var credentials: CallSession.Credentials?
    var deniedRange: String?
    var packetsFromClient: Int?
    var packetsToClient: Int?
    var bytesFromClient: Int?
    var bytesToClient: Int?
    var packetsFromPeer: Int?
    var packetsToPeer: Int?
    var bytesFromPeer: Int?
    var bytesToPeer: Int?
    var closed: String?

    static let record = Record(
      Self.init,
      Field("id", \.id, .string, "The session's id in the log."),
      Field("role", \.role, .enumeration(CallSession.Role.self), "Which of the two clients it is of."),
      Field("realm", \.realm, .optional(.string), "Its realm."),
      Field("user", \.user, .optional(.string), "Its user."),
      Field(
        "client", \.client, .optional(.string),
        "The client's address as the server saw it; over UDP logged at the close."),
      Field("allocated", \.allocated, .bool, "Whether it got an allocation."),
      Field("refusals", \.refusals, .list(.string), "What was refused, but for the challenge of every beginning."),
      Field(
        "credentials", \.credentials, .optional(.enumeration(CallSession.Credentials.self)),
        "Why its credentials were refused; an expired user name is logged as an unknown one."),
      Field("deniedRange", \.deniedRange, .optional(.string), "The range in which its peer was denied."),
      Field("packetsFromClient", \.packetsFromClient, .optional(.int), "Packets from the client, requests among them."),
      Field("packetsToClient", \.packetsToClient, .optional(.int), "Packets to the client, responses among them."),
      Field("bytesFromClient", \.bytesFromClient, .optional(.byteSize), "Their bytes."),
      Field("bytesToClient", \.bytesToClient, .optional(.byteSize), "Their bytes."),
      Field("packetsFromPeer", \.packetsFromPeer, .optional(.int), "Packets from peers; not logged before 4.5.1.2."),
      Field("packetsToPeer", \.packetsToPeer, .optional(.int), "Packets to peers."),
      Field("bytesFromPeer", \.bytesFromPeer, .optional(.byteSize), "Their bytes."),
      Field("bytesToPeer", \.bytesToPeer, .optional(.byteSize), "Their bytes."),
      Field("closed", \.closed, .optional(.string), "Why it closed; absent: it had not, as far as was waited for.")
    )
  }

  /// What one part of the way lost.
  struct Loss: Hashable, Sendable {
    var leg: CallDiagnosis.Leg
    var lost: Int

    static let record = Record(
      Self.init,
      Field(
        "leg", \.leg, .enumeration(CallDiagnosis.Leg.self), "The part of the way, from the sender to the echo and back."
      ),
      Field("lost", \.lost, .int, "Packets that entered it and did not come out; below 0: it made duplicates.")
    )
  }

  var cause: CallDiagnosis.Cause?
  var sessions: [Session]
  var losses: [Loss]
  var verbose: Bool
  var whole: Bool

  package static let record = Record(
    Self.init,
    Field(
      "cause", \.cause, .optional(.enumeration(CallDiagnosis.Cause.self)),
      "What follows from both ends; absent: nothing is wrong, or the records do not tell."),
    Field("sessions", \.sessions, .list(.record(Session.record)), "The call's sessions in the server's log."),
    Field(
      "losses", \.losses, .list(.record(Loss.record)),
      "What each part of the way lost; empty: the server's figures are missing."),
    Field("verbose", \.verbose, .bool, "Whether the log tells of sessions at all; false also if there was none."),
    Field(
      "whole", \.whole, .bool, "Whether everything was read that was logged during the call; a rotation leaves a gap.")
  )

  init(_ records: CallRecords, _ diagnosis: CallDiagnosis, isWhole: Bool) {
    cause = diagnosis.cause
    sessions = records.sessions.map { session in
      Session(
        id: String(session.id), role: session.role, realm: session.realm, user: session.user,
        client: session.clientAddress, allocated: session.isAllocated,
        refusals: session.refusals.prefix(10).map { "\($0.method) \($0.code) \($0.reason)" },
        credentials: session.credentials, deniedRange: session.deniedRange,
        packetsFromClient: session.client?.receivedPackets, packetsToClient: session.client?.sentPackets,
        bytesFromClient: session.client?.receivedBytes, bytesToClient: session.client?.sentBytes,
        packetsFromPeer: session.peer?.receivedPackets, packetsToPeer: session.peer?.sentPackets,
        bytesFromPeer: session.peer?.receivedBytes, bytesToPeer: session.peer?.sentBytes,
        closed: session.closeReason)
    }
    losses = CallDiagnosis.Leg.allCases.compactMap { leg in diagnosis.lost[leg].map { Loss(leg: leg, lost: $0) } }
    verbose = records.isVerbose
    whole = isWhole
  }

  private init(
    cause: CallDiagnosis.Cause?, sessions: [Session], losses: [Loss], verbose: Bool, whole: Bool
  ) {
    (self.cause, self.sessions, self.losses) = (cause, sessions, losses)
    (self.verbose, self.whole) = (verbose, whole)
  }
}

/// The look at the server's log during one call.
struct CorrelatedCall: Sendable {
  private let correlation: Correlation
  private let tail: ServerLogTail
  private let token: String

  /// Begins before the call.
  init(_ correlation: Correlation) throws(StepError) {
    self.correlation = correlation
    tail = try ServerLogTail(correlation.log)
    var generator = SystemRandomNumberGenerator()
    token = (0..<2).map { _ in String(UInt64.random(in: .min ... .max, using: &generator), radix: 36) }.joined()
  }

  /// Makes the probe carry the token.
  func mark(_ probe: inout RelayProbe) {
    switch correlation.tie {
    case .origin:
      probe.origins = (
        Origin(CallRecords.origin(of: .sender, token: token)), Origin(CallRecords.origin(of: .echo, token: token))
      )
    case .userName:
      guard case .sharedSecret(let secret, _, let lifetime, let order) = probe.server.credentials else { return }
      probe.server.credentials = .sharedSecret(secret, user: token, lifetime: lifetime, order: order)
    }
  }

  /// What the server logged of the call, once that is complete or the time is over.
  func serverSide(_ figures: CallDiagnosis.Figures, within time: Duration) async -> ServerSide {
    let end = ContinuousClock.now + min(correlation.wait, time)
    let (tail, token) = (tail, token)
    let tie: CallRecords.Tie = correlation.tie == .origin ? .origin(token) : .userName(token)
    while true {
      let (records, isWhole) = await onBlockingThread {
        let (bytes, isWhole) = tail.bytes()
        return (CallRecords(bytes, tie: tie), isWhole)
      }
      // Refused sessions close after 60 seconds: only who gives that much waits for it.
      let isComplete = records.isComplete(refusedOnesToo: correlation.wait > .seconds(60))
      if isComplete || Task.isCancelled || .now >= end {
        return ServerSide(records, CallDiagnosis(records, figures), isWhole: isWhole)
      }
      try? await Task.sleep(for: min(.milliseconds(100), max(.zero, ContinuousClock.now.duration(to: end))))
    }
  }
}

extension CallDiagnosis.Figures {
  /// Of a call that came to its end.
  init(_ report: RelayProbe.Report, realm: String?) {
    self.init(
      wasAnswered: true, sent: report.sent, reached: report.reached, received: report.received,
      relayed: report.relayedAddresses, realm: realm)
  }

  /// Of a call that failed, from what the failure tells.
  init(_ error: StepError, realm: String?) {
    func text(_ name: String) -> String? {
      error.learnt.first { $0.name == name }.flatMap { if case .string(let text) = $0.value { text } else { nil } }
    }
    let sent = text("sent").flatMap { Int($0) }
    let relayed = ["relayedAddress", "echoRelayedAddress"].compactMap { text($0).flatMap { TransportAddress($0) } }
    // What explains silence has a code of the path's; a call that got as far as an allocation was answered.
    let silences = [ProbeFailure.Code.turnTimeout.rawValue, ProbeFailure.Code.stunTimeout.rawValue]
    let code = error.finding.code
    let isSilent = silences.contains(code) || ["path.", "icmp.", "tcp."].contains { code.hasPrefix($0) }
    self.init(
      wasAnswered: !isSilent || sent != nil || !relayed.isEmpty, sent: sent,
      reached: text("reached").flatMap { Int($0) },
      received: sent == nil ? nil : 0, relayed: relayed, realm: realm)
  }
}
