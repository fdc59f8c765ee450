import COpenSSL
import STUN

/// What connections of one configuration share: trust, versions, ciphers, certificate. Made off the event loop, since it
/// reads files; only read afterwards, which OpenSSL allows from any thread.
final class TLSContext: @unchecked Sendable {
  private let handle: Handle
  let isDatagram: Bool
  let options: TLSOptions

  /// Whether trust is set up. Without it no certificate can convince.
  var judgesCertificate: Bool { options.verifiesCertificate || options.reportsVerification }

  /// What is trusted, an `X509_STORE *` that lives as long as this.
  var trust: OpaquePointer? { SSL_CTX_get_cert_store(handle.raw) }

  /// Owns one `SSL_CTX *`.
  private struct Handle: ~Copyable {
    let raw: OpaquePointer
    init(_ raw: OpaquePointer) { self.raw = raw }
    deinit { SSL_CTX_free(raw) }
  }

  /// - Throws: `TLSFailure` of kind `.configuration`, with the library's words.
  init(_ options: TLSOptions, isDatagram: Bool) throws(TLSFailure) {
    ERR_clear_error()
    guard let raw = SSL_CTX_new(isDatagram ? DTLS_client_method() : TLS_client_method()) else {
      throw OpenSSLErrors.failure(.configuration, "no context")
    }
    handle = Handle(raw)
    self.isDatagram = isDatagram
    self.options = options
    // The chain is judged after the handshake, so that what does not convince can still be shown.
    SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nil)
    if judgesCertificate { try setTrust(raw) }
    try setVersions(raw)
    try setClientCertificate(raw)
  }

  private func setTrust(_ raw: OpaquePointer) throws(TLSFailure) {
    if let file = options.trustFile { return try Self.loadTrust(file, raw) }
    guard SSL_CTX_set_default_verify_paths(raw) == 1 else {
      throw OpenSSLErrors.failure(.configuration, "the system's store of certificates cannot be read")
    }
  }

  private func setVersions(_ raw: OpaquePointer) throws(TLSFailure) {
    if let versions = options.versions {
      guard COpenSSL_set_versions(raw, versions.lowerBound.number, versions.upperBound.number) == 1 else {
        throw OpenSSLErrors.failure(.configuration, "versions cannot be offered")
      }
    }
    if let list = options.cipherList, SSL_CTX_set_cipher_list(raw, list) != 1 {
      throw OpenSSLErrors.failure(.configuration, "no cipher of \(list) can be offered")
    }
    if let groups = options.groups, COpenSSL_set_groups(raw, groups) != 1 {
      throw OpenSSLErrors.failure(.configuration, "no group of \(groups) can be offered")
    }
    if let suites = options.cipherSuites, SSL_CTX_set_ciphersuites(raw, suites) != 1 {
      throw OpenSSLErrors.failure(.configuration, "no cipher suite of \(suites) can be offered")
    }
  }

  private func setClientCertificate(_ raw: OpaquePointer) throws(TLSFailure) {
    guard let certificate = options.clientCertificate else { return }
    try Self.loadChain(certificate.chainFile, raw)
    try Self.loadKey(certificate.keyFile, raw)
  }

  /// A fresh `SSL *`, owned by the caller.
  func makeSession() -> OpaquePointer? { SSL_new(handle.raw) }
}

extension TLSVersion {
  /// OpenSSL's number.
  var number: CInt {
    switch self {
    case .tls10: TLS1_VERSION
    case .tls11: TLS1_1_VERSION
    case .tls12: TLS1_2_VERSION
    case .tls13: TLS1_3_VERSION
    case .dtls10: DTLS1_VERSION
    case .dtls12: DTLS1_2_VERSION
    }
  }
}
