import Journal
package import Schema

/// How the server's own view of a call is found: its records of it, and its figures before and after.
package struct Correlation: Hashable, Sendable {
  /// What carries the token by which the records are told from all others.
  package enum Tie: String, Sendable, CaseIterable {
    case origin
    case userName
  }

  package var log: String?
  package var journal: LogJournal?
  package var tie: Tie?
  package var wait: Duration
  package var metrics: String?
  package var metricsAuthority: String?

  package static let record = Record(
    Self.init,
    Field(
      "log", \.log, .optional(.path),
      "The file on this host into which coturn logs, with `verbose`; a container's json-file too."),
    Field(
      "journal", \.journal, .optional(.record(LogJournal.record)),
      "In place of `log`: what to read of the systemd journal."),
    Field(
      "tie", \.tie, .optional(.enumeration(Tie.self)),
      "What carries a token into the records, if there is a log: `origin`, an ORIGIN attribute (a server may map origins to "
        + "realms); `userName`, the user name that is made of the shared secret."),
    Field(
      "wait", \.wait, .duration.within(.zero ... .seconds(300)), default: .seconds(3),
      "How long to wait for records and figures at most. Refused sessions close after 60s, and only then is their client's "
        + "address logged over UDP: give 65s and a longer `timeout` if you need it."),
    Field(
      "metrics", \.metrics, .optional(.url),
      "The server's Prometheus exporter, http://127.0.0.1:9641/metrics if nothing else is set."),
    Field(
      "metricsAuthority", \.metricsAuthority, .optional(.path),
      "The PEM file of certificates that are trusted for the exporter, in place of the system's.")
  )

  package init(
    log: String? = nil, journal: LogJournal? = nil, tie: Tie? = nil, wait: Duration, metrics: String? = nil,
    metricsAuthority: String? = nil
  ) {
    (self.log, self.journal, self.tie, self.wait) = (log, journal, tie, wait)
    (self.metrics, self.metricsAuthority) = (metrics, metricsAuthority)
  }

  var hasLog: Bool { log != nil || journal != nil }

  /// The log as it is called in sentences.
  var logName: String { log ?? journal.map { "the journal of \($0.name)" } ?? "" }

  /// Why a call cannot be correlated like this.
  ///
  /// - Parameter hasSecret: whether the target has a shared secret.
  func objection(hasSecret: Bool) -> Finding? {
    if log != nil, journal != nil {
      return Finding(
        "turn.logGivenTwice", "`correlate` has both a log file and a journal",
        advice: "A server logs to one of them: look at `log-file` and `syslog` in its turnserver.conf.")
    }
    guard hasLog else {
      guard metrics == nil else { return nil }
      return Finding(
        "turn.nothingToCorrelate", "`correlate` names neither a log nor an exporter",
        advice: "Give `log`, `journal: {units: [NAME.service]}` or `metrics`.")
    }
    guard let tie else {
      return Finding(
        "turn.tieMissing", "`correlate` does not say what ties the call to its records",
        advice: "Give `tie: origin`; or `tie: userName` if the target has a shared secret.")
    }
    guard tie == .userName, !hasSecret else { return nil }
    return Finding(
      "turn.noSecretToTie", "the records are to be tied by the user name, and the target has no shared secret",
      advice: "Tie them by `origin`; or give the target the secret (TURN_SECRET).")
  }
}
