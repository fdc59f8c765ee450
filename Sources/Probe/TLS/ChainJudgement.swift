package import STUN

/// What a chain of certificates is worth to clients, and until when.
///
/// The path that verifies decides: from the server's own certificate to one that is trusted. Whatever else comes along
/// informs, and decides nothing.
package struct ChainJudgement: Sendable, Hashable {
  /// The server's own certificate first, the trusted one last; only their dates may stand against it. nil: there is none.
  package let path: [CertificateDetails]?
  /// Why clients do not accept the chain; nil if they do.
  package let failure: TLSFailure?
  /// What is odd and harmless, in sentences.
  package let notes: [String]

  /// The certificate of the path that ends first.
  package var endingFirst: CertificateDetails? { path?.min { $0.notAfter < $1.notAfter } }

  /// - Parameters:
  ///   - sent: the server's own certificate first.
  ///   - trust: an `X509_STORE *`.
  ///   - now: seconds since 1970.
  init(of sent: [CertificateDetails], trust: OpaquePointer?, at now: Int64) {
    let search = PathSearch(from: sent, to: trust, at: now)
    path = search.path
    failure = search.failure ?? Self.untimely(search.path ?? [], sent, at: now)
    notes = Self.notes(on: sent, path: search.path ?? [], at: now)
  }

  /// Judges certificates that were read from a file.
  ///
  /// - Parameters:
  ///   - trustFile: PEM certificates in place of the system's.
  ///   - now: seconds since 1970.
  /// - Throws: `TLSFailure` of kind `.configuration` if the trusted certificates cannot be read.
  package init(of certificates: [CertificateDetails], trustFile: String?, at now: Int64) throws(TLSFailure) {
    var options = TLSOptions()
    options.trustFile = trustFile
    let context = try TLSContext(options, isDatagram: false)
    self.init(of: certificates, trust: context.trust, at: now)
  }

  /// A certificate of the path that has ended, or else one that has not begun.
  private static func untimely(
    _ path: [CertificateDetails], _ sent: [CertificateDetails], at now: Int64
  ) -> TLSFailure? {
    if let ended = path.first(where: { $0.notAfter < now }) {
      let ago = Duration.seconds(now - ended.notAfter).inWords
      return TLSFailure(.expired, "\(ended.name(in: sent)) ended on \(UTC.text(ended.notAfter)), \(ago) ago")
    }
    guard let early = path.first(where: { $0.notBefore > now }) else { return nil }
    let wait = early.notBefore - now
    let hint = wait <= 3600 ? "; so short a time points to a wrong clock, here or where it was made" : ""
    return TLSFailure(
      .notYetValid,
      "\(early.name(in: sent)) begins on \(UTC.text(early.notBefore)), in \(Duration.seconds(wait).inWords)\(hint)")
  }

  private static func notes(on sent: [CertificateDetails], path: [CertificateDetails], at now: Int64) -> [String] {
    var notes: [String] = []
    for (index, certificate) in sent.enumerated() where !path.isEmpty && !path.contains(certificate) {
      let name = "Certificate \(index + 1) of \(sent.count), \(certificate.subject),"
      if certificate.notAfter < now {
        notes.append(
          "\(name) ended on \(UTC.text(certificate.notAfter)); clients that verify as this one did not need it.")
      } else if certificate.notBefore > now {
        notes.append("\(name) begins on \(UTC.text(certificate.notBefore)) only; it is not needed.")
      }
    }
    if zip(sent, sent.dropFirst()).contains(where: { $0.issuer != $1.subject }) {
      notes.append("The certificates are not in order: behind each should come its issuer's.")
    }
    for certificate in sent.dropFirst() where certificate.subject == certificate.issuer {
      notes.append("The root \(certificate.subject) is sent along: who trusts it has it already.")
    }
    return notes
  }
}

extension CertificateDetails {
  /// Which one it is, for people: the server's own by its subject, others by their place too.
  func name(in sent: [CertificateDetails]) -> String {
    guard let place = sent.firstIndex(of: self) else { return "the trusted certificate \(subject)" }
    return place == 0 ? subjectText : "certificate \(place + 1) of \(sent.count) in its chain, \(subject),"
  }

  /// Its subject, or its names if that is empty.
  private var subjectText: String { subject.isEmpty ? shortNames : subject }
}
