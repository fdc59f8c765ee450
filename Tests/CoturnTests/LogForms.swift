import Foundation
import Logs
import Schema
import TestSupport

@testable import Coturn

/// How records are written, by version.
enum HeadForm: String, CaseIterable, Sendable {
  case bare, colon, colonStamp, thread, threadStamp, threadless, line, lineSeconds

  /// A version that writes so.
  var version: String {
    switch self {
    case .bare: "4.5.1.3"
    case .colon: "4.5.2"
    case .colonStamp: "4.6.1"
    case .thread: "4.6.2"
    case .threadStamp: "4.13.0"
    case .threadless: "4.16.0"
    case .line, .lineSeconds: "4.17.1"
    }
  }

  var hasWallTime: Bool { [.colonStamp, .threadStamp, .line].contains(self) }
  private var hasSessionInErrors: Bool { [.threadStamp, .threadless, .line, .lineSeconds].contains(self) }

  /// A record in this form, with its line feed.
  func record(_ second: Int, _ text: String, isError: Bool = false) -> String {
    let stamp = String(format: "2026-01-05T10:%02d:%02d", second / 60, second % 60)
    switch self {
    case .bare: return "\(second): \(text)\n"
    case .colon: return "\(second): : \(isError ? "ERROR: " : "")\(text)\n"
    case .colonStamp: return "\(stamp)+0100: \(isError ? "ERROR: " : "")\(text)\n"
    case .thread: return "\(second): (28): \(isError ? "ERROR" : "INFO"): \(text)\n"
    case .threadStamp: return "\(stamp)+0100(28): \(isError ? "ERROR" : "INFO"): \(text)\n"
    case .threadless: return "\(second): \(isError ? "(7): ERROR" : "INFO"): \(text)\n"
    case .line: return "\(stamp).250+0100 \(isError ? "ERROR" : "INFO") \(text)\n"
    case .lineSeconds: return "\(second) \(isError ? "ERROR" : "INFO") \(text)\n"
    }
  }

  /// The banner of a start.
  var banner: String {
    let isOld = [.bare, .colon, .colonStamp].contains(self)
    guard isOld else { return record(0, "Coturn Version Coturn-\(version) 'Gorst'") }
    let text = "\nRFC 3489/5389/5766/5780/6062/6156 STUN/TURN Server\nVersion Coturn-\(version) 'Gorst'"
    return record(0, text)
  }

  /// The beginning of an error that names its session in later versions.
  func errorHead(_ session: String) -> String { hasSessionInErrors ? "session \(session): " : "" }
}

/// What a logger puts around lines.
enum LogEnvelope: String, CaseIterable, Sendable {
  case file, syslog, syslogStamp, compose, dockerStamp, jsonFile, cri, journal

  func wrap(_ line: String) -> String {
    switch self {
    case .file: return line
    case .syslog: return "Jan  5 10:00:00 turn1 turnserver[812]: \(line)"
    case .syslogStamp: return "2026-01-05T10:00:00.123456+01:00 turn1 turnserver: \(line)"
    case .compose: return "coturn-1  | \(line)"
    case .dockerStamp: return "2026-01-05T09:00:00.123456789Z \(line)"
    case .jsonFile:
      return JSON.object([
        .init("log", .string(line + "\n")), .init("stream", "stdout"), .init("time", "2026-01-05T09:00:00.5Z"),
      ]).text(.compact)
    case .cri: return "2026-01-05T09:00:00.123456789Z stdout F \(line)"
    case .journal:
      return JSON.object([
        .init("MESSAGE", .string(line)), .init("__REALTIME_TIMESTAMP", "1767603600000000"),
        .init("SYSLOG_IDENTIFIER", "turnserver"),
      ]).text(.compact)
    }
  }

  /// A whole log, line by line.
  func wrap(log: String) -> String {
    var lines = log.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    return lines.map { wrap(String($0)) + "\n" }.joined()
  }
}

/// What a log says.
func reviewed(_ log: some Collection<UInt8>, window: CoturnLogReview.Window? = nil) -> CoturnLogFacts {
  let review = CoturnLogReview(window: window)
  review.begin(reference: Timestamp("2026-01-06T00:00:00Z") ?? .unixEpoch)
  Array(log).withUnsafeBytes { review.take($0) }
  review.end()
  return review.facts()
}

func reviewed(_ log: String, window: CoturnLogReview.Window? = nil) -> CoturnLogFacts {
  reviewed(log.utf8, window: window)
}
