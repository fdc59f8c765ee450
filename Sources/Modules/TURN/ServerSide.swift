import Coturn
import Journal
package import Schema

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
  var verbose: Bool?
  var whole: Bool?
  var metrics: ServerFigures?

  package static let record = Record(
    Self.init,
    Field(
      "cause", \.cause, .optional(.enumeration(CallDiagnosis.Cause.self)),
      "What follows from both ends; absent: nothing is wrong, or the records do not tell."),
    Field("sessions", \.sessions, .list(.record(Session.record)), "The call's sessions in the server's log."),
    Field(
      "losses", \.losses, .list(.record(Loss.record)),
      "What each part of the way lost; empty: the server's figures are missing."),
    Field(
      "verbose", \.verbose, .optional(.bool),
      "Whether the log tells of sessions at all; false also if there was none; absent: no log was given."),
    Field(
      "whole", \.whole, .optional(.bool),
      "Whether everything was read that was logged during the call; a rotation leaves a gap."),
    Field(
      "metrics", \.metrics, .optional(.record(ServerFigures.record)),
      "What the exporter counted from before the call to behind it; absent: none was given.")
  )

  /// Of a call for which no log was given.
  init() { self.init(cause: nil, sessions: [], losses: [], verbose: nil, whole: nil, metrics: nil) }

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
    cause: CallDiagnosis.Cause?, sessions: [Session], losses: [Loss], verbose: Bool?, whole: Bool?,
    metrics: ServerFigures?
  ) {
    (self.cause, self.sessions, self.losses) = (cause, sessions, losses)
    (self.verbose, self.whole, self.metrics) = (verbose, whole, metrics)
  }
}
