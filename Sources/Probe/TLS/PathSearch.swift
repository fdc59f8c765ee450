import COpenSSL
import STUN

/// The library's search for a path from a server's certificate to a trusted one, as a TLS client has it done. Dates guide
/// the choice between certificates, and end nothing: the caller looks at them.
struct PathSearch {
  /// nil: no path verifies.
  private(set) var path: [CertificateDetails]?
  /// Why none does.
  private(set) var failure: TLSFailure?

  /// - Parameters:
  ///   - sent: the server's own certificate first.
  ///   - trust: an `X509_STORE *`.
  ///   - now: seconds since 1970.
  init(from sent: [CertificateDetails], to trust: OpaquePointer?, at now: Int64) {
    failure = TLSFailure(.certificateInvalid, "it could not be looked at")
    guard let own = sent.first?.parsed() else { return }
    defer { X509_free(own) }
    guard let others = COpenSSL_certificates_new() else { return }
    defer { COpenSSL_certificates_free(others) }
    for certificate in sent.dropFirst() {
      guard let parsed = certificate.parsed() else { return }
      guard COpenSSL_certificates_add(others, parsed) > 0 else {
        X509_free(parsed)
        return
      }
    }
    guard let trust, let context = X509_STORE_CTX_new() else { return }
    defer { X509_STORE_CTX_free(context) }
    guard X509_STORE_CTX_init(context, trust, own, others) == 1,
      X509_STORE_CTX_set_default(context, "ssl_server") == 1, let parameters = X509_STORE_CTX_get0_param(context)
    else { return }
    X509_VERIFY_PARAM_set_time(parameters, Int(now))
    // Keys and signatures of 112 bits at least: what the library's clients ask for.
    X509_VERIFY_PARAM_set_auth_level(parameters, 2)
    X509_STORE_CTX_set_verify_cb(context) { isGood, context in
      let isDate = [X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID].contains(
        X509_STORE_CTX_get_error(context))
      return isDate ? 1 : isGood
    }
    ERR_clear_error()
    let isVerified = X509_verify_cert(context) == 1
    ERR_clear_error()
    if isVerified {
      failure = nil
      path = Self.certificates(X509_STORE_CTX_get0_chain(context))
    } else {
      let current = X509_STORE_CTX_get_current_cert(context).map(CertificateDetails.init(reading:))
      failure = Self.failure(X509_STORE_CTX_get_error(context), current ?? sent[0], sent)
    }
  }

  private static func certificates(_ chain: OpaquePointer?) -> [CertificateDetails] {
    (0..<max(0, COpenSSL_certificate_count(chain))).compactMap { index in
      COpenSSL_certificate(chain, index).map(CertificateDetails.init(reading:))
    }
  }

  private static func failure(
    _ error: CInt, _ certificate: CertificateDetails, _ sent: [CertificateDetails]
  ) -> TLSFailure {
    let name = certificate.name(in: sent)
    switch error {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return TLSFailure(.untrusted, "\(name) is signed by itself alone")
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return TLSFailure(.untrusted, "its chain ends at the root \(certificate.subject), which is not trusted here")
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return TLSFailure(
        .untrusted,
        "the chain is incomplete: the issuer of \(name.trimmed), \(certificate.issuer), is neither sent nor trusted here"
      )
    default:
      let words = X509_verify_cert_error_string(Int(error)).map { unsafe String(cString: $0) } ?? "unknown"
      return TLSFailure(.certificateInvalid, "\(name.trimmed): \(words)")
    }
  }
}

extension String {
  /// Without the comma that a name ends in before a verb.
  fileprivate var trimmed: String { hasSuffix(",") ? String(dropLast()) : self }
}

extension CertificateDetails {
  /// An `X509 *` of the caller's.
  func parsed() -> OpaquePointer? {
    unsafe encoded.withUnsafeBufferPointer { bytes in
      var start = bytes.baseAddress
      return unsafe d2i_X509(nil, &start, bytes.count)
    }
  }
}
