import Coturn
import Journal
import Logs
import Schema

/// What a log means for the server, the worst first.
struct CoturnLogVerdict {
  let finding: Finding
  let isFailure: Bool

  /// Nil if nothing needs a look.
  init?(_ reading: CoturnLogReading) {
    if let failure = Self.failure(reading.facts) {
      self.init(failure, isFailure: true)
    } else if let warning = Self.warning(reading.facts) ?? Self.doubt(reading) {
      self.init(warning, isFailure: false)
    } else {
      return nil
    }
  }

  private init(_ finding: Finding, isFailure: Bool) {
    self.finding = finding
    self.isFailure = isFailure
  }

  private static func failure(_ facts: CoturnLogFacts) -> Finding? {
    let faults = facts.count(.segfault) + facts.count(.aborted)
    if faults > 0 {
      return Finding(
        "coturn.crashed", "the server crashed \(times(faults))",
        advice: "Look up this version's advisories, and at the core: coredumpctl list turnserver.")
    }
    if facts.count(.killed) > 0 {
      return Finding(
        "coturn.killed", "the server was ended with SIGKILL \(times(facts.count(.killed)))",
        advice:
          "Look whether memory ran out: journalctl -k -g 'Out of memory'. If so, look at MemoryMax of the unit, total-quota, "
          + "and what else runs there.")
    }
    if facts.isTLSLost == true, facts.count(.listenersDisabled) > 0 {
      return Finding(
        "coturn.tlsListenersLost", "the last start has no TLS listeners: certificate or key could not be used",
        advice:
          "Later lines that say \"file found\" change nothing. Let the server's user read both files, then restart it; probe the port."
      )
    }
    return nil
  }

  private static func warning(_ facts: CoturnLogFacts) -> Finding? {
    if facts.isReloadFailed == true {
      return Finding(
        "coturn.reloadFailed", "the last reload of the certificates failed: the old one goes on being served",
        advice: "Mend certificate and key, reload, and look at what is served: runbook probe tls.certificate.")
    }
    if facts.count(.portsExhausted) > 0 {
      return Finding(
        "coturn.portsExhausted", "allocations failed \(times(facts.count(.portsExhausted))) for want of relay ports",
        advice: "Widen min-port to max-port, and the firewall with it.")
    }
    if facts.forgedLines > 0 {
      return Finding(
        "coturn.forgedLines", "clients wrote \(facts.forgedLines) lines into the log; they are not counted",
        advice: "Update coturn: from 4.17.0 on no name brings a line feed into the log.")
    }
    if facts.count(.draining) > 0, facts.isDraining {
      return Finding("coturn.draining", "the server is draining: it refuses new allocations", advice: "Is that meant?")
    }
    return nil
  }

  /// What makes the figures less than they seem.
  private static func doubt(_ reading: CoturnLogReading) -> Finding? {
    let facts = reading.facts
    if let source = reading.quietSource {
      return Finding(
        "log.quiet", "\(source) in this time, and older ones",
        advice: "Check that the service runs, and that its log level says what you look for.")
    }
    if facts.suppressed > 0 {
      return Finding(
        "log.messagesLost", "the logger left \(facts.suppressed) messages out: counts are lower bounds",
        advice: "Raise RateLimitBurst of journald, or the rate limit of rsyslog's imuxsock.")
    }
    if facts.unreadableRecords > 0 {
      return Finding(
        "log.recordsUnreadable", "\(facts.unreadableRecords) records hold no message that can be read",
        advice: "Look at the log itself: what writes it may have changed its format.")
    }
    if facts.account.cutLines > 0 {
      return Finding(
        "log.linesCut", "\(facts.account.cutLines) lines are longer than 1 MiB and were read up to there",
        advice: "What stands behind that was not looked at: look at the file yourself.")
    }
    guard !reading.files.isEmpty, reading.files.allSatisfy({ $0.result == .empty || $0.result == .older }) else {
      return facts.hasRecognized && !facts.isCoturn
        ? Finding(
          "log.quiet", "the log holds no record of coturn of this time, and older ones",
          advice: "Check that the service runs, and that it still logs there.") : nil
    }
    if reading.files.contains(where: { $0.result == .older }) {
      return Finding(
        "log.quiet", "no file was written to in this time",
        advice: "Check that the service runs, and that it still logs there.")
    }
    return Finding(
      "log.empty", "all files are empty",
      advice: "A server that says nothing for long may log elsewhere: look at `log-file` and `syslog`.")
  }

  private static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }
}
