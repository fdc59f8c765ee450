package import Schema

extension CoturnLogOutput {
  package static let user = Record(
    User.init,
    Field("user", \.user, .string, "The user's name, as the client gave it."),
    Field("unknownOrExpired", \.unknownOrExpired, .int, "Log-ins refused: no such user, or an expired REST name."),
    Field("wrongPassword", \.wrongPassword, .int, "Log-ins refused: wrong password."),
    Field("allocated", \.allocated, .int, "Allocations that the user got: of one who fails and is served, few fail."),
    Field("quota", \.quota, .int, "Allocations refused by a quota (486)."),
    Field("ports", \.ports, .int, "Allocations refused for want of ports (508)."),
    Field("forbidden", \.forbidden, .int, "Peers refused (403).")
  )

  package static let client = Record(
    Client.init,
    Field("address", \.address, .string, "The client's address; behind Docker's userland proxy the bridge's."),
    Field("failures", \.failures, .int, "Refused log-ins of its sessions that closed: the log has no address before."),
    Field("rateLimits", \.rateLimits, .int, "Windows in which its requests went unanswered."),
    Field("withoutAllocation", \.withoutAllocation, .int, "Its connections that closed without an allocation."),
    Field("forbidden", \.forbidden, .int, "Peers that were refused to it.")
  )

  package static let authentication = Record(
    Authentication.init,
    Field("failures", \.failures, .int, "Refused log-ins, without those of the user runbook-probe."),
    Field("unknownOrExpired", \.unknownOrExpired, .int, "No such user, or an expired REST name: the log does not say."),
    Field("expired", \.expired, .int, "Of those, REST names whose time was over, if the log has a wall time."),
    Field("wrongPassword", \.wrongPassword, .int, "Wrong password."),
    Field("challenges", \.challenges, .int, "Requests without a user name, answered with 401: no failures."),
    Field("probeFailures", \.probeFailures, .int, "Failures of the user runbook-probe, which count nowhere else."),
    Field("succeeded", \.succeeded, .optional(.int), "Requests for an allocation with good credentials, if verbose."),
    Field("success", \.success, .optional(.percent), "Share of them among all with credentials; none if not measured."),
    Field("users", \.users, .list(.record(user)), "Users with refused log-ins, at most 50."),
    Field(
      "suspicious", \.suspicious, .list(.record(client)),
      "Addresses with `suspiciousFrom` refused log-ins or more, or with rate limits; at most 50.")
  )

  package static let session = Record(
    Session.init,
    Field("session", \.session, .string, "Number of the start and the session's id."),
    Field("user", \.user, .string, "Its user."),
    Field("relayed", \.relayed, .optional(.byteSize), "What peers sent and what was sent to them, if logged.")
  )

  package static let sessions = Record(
    Sessions.init,
    Field("opened", \.opened, .optional(.int), "Allocations made; no value if the server is not verbose."),
    Field("closed", \.closed, .optional(.int), "Sessions with an allocation that closed."),
    Field(
      "withoutAllocation", \.withoutAllocation, .optional(.int),
      "Sessions that closed without: scanners, refused users."),
    Field("leftOpen", \.leftOpen, .optional(.int), "Sessions that a restart or the log's end left open."),
    Field("relayed", \.relayed, .optional(.byteSize), "What all of them relayed; no value up to 4.5.1.1."),
    Field("success", \.success, .optional(.percent), "Share of requests with good credentials that got an allocation."),
    Field("closeReasons", \.closeReasons, .map(.int), "How often sessions closed for which reason."),
    Field("largest", \.largest, .list(.record(session)), "The 20 that relayed most.")
  )

  package static let peer = Record(
    Peer.init,
    Field("peer", \.peer, .string, "The peer's address."),
    Field("range", \.range, .string, "The range that refused it, or `scope`."),
    Field("count", \.count, .int, "How often.")
  )

  package static let refusals = Record(
    Refusals.init,
    Field("quota", \.quota, .int, "Allocations refused by a quota (486)."),
    Field("ports", \.ports, .int, "Allocations refused for want of relay ports (508)."),
    Field("peers", \.peers, .int, "Peers refused by a range or their scope."),
    Field("forbidden", \.forbidden, .int, "Requests refused for their peer (403), also by rules that log no range."),
    Field("rateLimits", \.rateLimits, .int, "Windows in which an address got no answer."),
    Field("malformedNames", \.malformedNames, .int, "User names and realms with characters that none may have."),
    Field("socketErrors", \.socketErrors, .int, "Connections that broke; mostly scanners."),
    Field("deniedPeers", \.deniedPeers, .list(.record(peer)), "Refused peers, at most 50."),
    Field("users", \.users, .list(.record(user)), "Users to whom more than a log-in was refused, at most 50.")
  )

  package static let server = Record(
    LoggedServer.init,
    Field("starts", \.starts, .int, "Starts, by their banner."),
    Field("crashes", \.crashes, .int, "Crashes that kernel, systemd or shell tell of; coturn logs none."),
    Field("reloads", \.reloads, .int, "Reloads of the certificates."),
    Field(
      "tlsLost", \.tlsLost, .optional(.bool), "Whether the last start has no TLS listeners; no value without a start."),
    Field("reloadFailed", \.reloadFailed, .optional(.bool), "Whether the last reload failed; no value without one."),
    Field("draining", \.draining, .bool, "Whether it refuses new allocations until it ends."),
    Field("kinds", \.kinds, .map(.int), "Records by what they tell of, whatever their level.")
  )

  package static let account = Record(
    LoggedAccount.init,
    Field("records", \.records, .int, "Records of coturn."),
    Field("errors", \.errors, .int, "Those with the marker ERROR; files of 4.5.1.3 and older have none."),
    Field("lines", \.lines, .int, "Lines that were read."),
    Field("bytes", \.bytes, .byteSize, "What was read, decompressed."),
    Field("first", \.first, .optional(.timestamp), "The first record's time, if it is of the wall clock."),
    Field("last", \.last, .optional(.timestamp), "The last record's time, if it is of the wall clock."),
    Field("verbose", \.verbose, .bool, "Whether the server logs its sessions."),
    Field("undated", \.undated, .int, "Records that could not be placed in time: they count, whatever the window."),
    Field("forgedLines", \.forgedLines, .int, "Lines that clients wrote into the log; they count nowhere."),
    Field("suppressed", \.suppressed, .int, "Messages that a logger left out, as it says itself."),
    Field("unreadableRecords", \.unreadableRecords, .int, "Journal records without a message that can be read."),
    Field("cutLines", \.cutLines, .int, "Lines longer than 1 MiB, read up to there."),
    Field("nulBytes", \.nulBytes, .int, "NUL bytes, which a log that was cut off under its writer begins with."),
    Field("notes", \.notes, .list(.string), "What a reader has to know about the figures.")
  )
}
