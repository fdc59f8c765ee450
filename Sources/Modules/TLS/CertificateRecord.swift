import Journal
import Probe
package import Schema

/// One certificate of a chain, for an output.
package struct CertificateRecord: Hashable, Sendable {
  package var place: Int
  package var subject: String
  package var issuer: String
  package var notBefore: Timestamp?
  package var notAfter: Timestamp?
  package var daysLeft: Int
  package var fingerprint: String

  static func all(_ certificates: [CertificateDetails], at now: Int64) -> [CertificateRecord] {
    certificates.enumerated().map { index, certificate in
      CertificateRecord(
        place: index + 1, subject: certificate.subject, issuer: certificate.issuer,
        notBefore: certificate.beginning, notAfter: certificate.end,
        daysLeft: wholeDays(certificate.notAfter - now), fingerprint: certificate.fingerprint)
    }
  }

  static let record = Record(
    CertificateRecord.init,
    Field("place", \.place, .int, "Its place, counted from 1."),
    Field("subject", \.subject, .string, "Whom it names."),
    Field("issuer", \.issuer, .string, "Who signed it."),
    Field("notBefore", \.notBefore, .optional(.timestamp), "When it begins to be valid."),
    Field("notAfter", \.notAfter, .optional(.timestamp), "When it stops being valid."),
    Field("daysLeft", \.daysLeft, .int, "Whole days until then; negative after it."),
    Field("fingerprint", \.fingerprint, .string, "SHA-256 over it, in hexadecimal.")
  )
}

extension CertificateDetails {
  var beginning: Timestamp? { Timestamp(seconds: notBefore, nanoseconds: 0) }
  var end: Timestamp? { Timestamp(seconds: notAfter, nanoseconds: 0) }
}

extension ChainJudgement {
  /// Whole days until the first certificate of the path that verifies ends; nil: none verifies.
  func daysLeft(at now: Int64) -> Int? { endingFirst.map { wholeDays($0.notAfter - now) } }

  /// Why clients do not accept the chain of `target`; nil if they do.
  func finding(of target: String) -> Finding? {
    failure.map { Finding(ProbeFailure(certificate: $0, of: target)) }
  }
}

/// Whether a certificate is for one name that is expected of it.
package struct NameRecord: Hashable, Sendable {
  package var name: String
  package var covered: Bool

  static let record = Record(
    NameRecord.init,
    Field("name", \.name, .string, "The name or address."),
    Field("covered", \.covered, .bool, "Whether the certificate is for it.")
  )

  static func all(_ names: [String], of certificate: CertificateDetails) -> [NameRecord] {
    names.map { NameRecord(name: $0, covered: certificate.covers($0)) }
  }

  /// A finding that lists every name that is missing; nil if none is.
  static func finding(_ names: [NameRecord], of target: String, _ certificate: CertificateDetails) -> Finding? {
    let missing = names.filter { !$0.covered }.map(\.name)
    guard !missing.isEmpty else { return nil }
    let held = certificate.names
    let others = held.count > 16 ? " and \(held.count - 16) more" : ""
    return Finding(
      ProbeFailure.Code.certificateNameMismatch.rawValue,
      "The certificate of \(target) is not for \(missing.joined(separator: ", ")); it is for "
        + "\(held.isEmpty ? "no name at all" : held.prefix(16).joined(separator: ", "))\(others).",
      advice: "Renew it with every name that clients use. Only alternative names count, not the common name; "
        + "a wildcard stands for one label.")
  }
}

/// Days rounded down, so that what ended an hour ago has -1.
func wholeDays(_ seconds: Int64) -> Int {
  let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
  return Int(rest < 0 ? days - 1 : days)
}

extension Finding {
  /// Several findings as one: the first gives code and advice, all are told, each once; nil without any.
  static func joined(_ findings: [Finding]) -> Finding? {
    guard let first = findings.first else { return nil }
    let messages = findings.map(\.sentence).reduce(into: [Sentence]()) { if !$0.contains($1) { $0.append($1) } }
    return Finding(first.code, messages.joined, advice: first.advisory)
  }
}
