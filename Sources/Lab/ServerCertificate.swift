import COpenSSL

/// A certificate for a server of a lab, by an authority that exists for it only. All of it is PEM.
package struct ServerCertificate: Sendable {
  private static let validity = 90 * 24 * 60 * 60

  /// The authority's certificate, to be trusted by clients. Its key is gone already.
  package let authority: String
  /// The server's certificate, for `localhost` and 127.0.0.1, valid from an hour ago and for 90 days.
  package let certificate: String
  package let key: String

  /// Makes an authority, and a certificate by it.
  package static func issue() throws(LabError) -> ServerCertificate {
    let authorityKey = try PrivateKey()
    let authority = try Certificate.unsigned(subject: "runbook lab authority", key: authorityKey, seconds: validity)
    try authority.sign(
      by: authority, with: authorityKey,
      extensions: [
        (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
        (NID_key_usage, "critical,keyCertSign,cRLSign"),
        (NID_subject_key_identifier, "hash"),
      ])
    let key = try PrivateKey()
    let certificate = try Certificate.unsigned(subject: "localhost", key: key, seconds: validity)
    try certificate.sign(
      by: authority, with: authorityKey,
      extensions: [
        (NID_basic_constraints, "critical,CA:FALSE"),
        (NID_key_usage, "critical,digitalSignature"),
        (NID_ext_key_usage, "serverAuth"),
        (NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"),
        (NID_subject_key_identifier, "hash"),
        (NID_authority_key_identifier, "keyid:always"),
      ])
    return ServerCertificate(authority: try authority.pem(), certificate: try certificate.pem(), key: try key.pem())
  }
}

/// An ECDSA key on P-256.
private struct PrivateKey: ~Copyable {
  let handle: OpaquePointer

  init() throws(LabError) {
    guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { throw opensslFailure() }
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1,
      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
      EVP_PKEY_keygen(context, &key) == 1, let key
    else { throw opensslFailure() }
    handle = key
  }

  deinit {
    EVP_PKEY_free(handle)
  }

  func pem() throws(LabError) -> String {
    try pemText { PEM_write_bio_PKCS8PrivateKey($0, handle, nil, nil, 0, nil, nil) }
  }
}

/// An X.509 certificate, version 3 (RFC 5280).
private struct Certificate: ~Copyable {
  let handle: OpaquePointer

  /// One for the key, valid from an hour ago on, without extensions and not signed yet.
  static func unsigned(
    subject: String, key: borrowing PrivateKey, seconds: Int
  ) throws(LabError) -> Certificate {
    guard let handle = X509_new() else { throw opensslFailure() }
    let certificate = Certificate(handle: handle)
    guard X509_set_version(handle, 2) == 1,
      ASN1_INTEGER_set_int64(X509_get_serialNumber(handle), .random(in: 1 ... .max)) == 1,
      X509_gmtime_adj(X509_getm_notBefore(handle), -3600) != nil,
      X509_gmtime_adj(X509_getm_notAfter(handle), seconds) != nil,
      X509_NAME_add_entry_by_NID(
        X509_get_subject_name(handle), NID_commonName, MBSTRING_FLAG, Array(subject.utf8),
        Int32(subject.utf8.count), -1, 0) == 1,
      X509_set_pubkey(handle, key.handle) == 1
    else { throw opensslFailure() }
    return certificate
  }

  deinit {
    X509_free(handle)
  }

  /// Gives it extensions, in the words of x509v3_config(5), and the issuer's name and signature.
  func sign(
    by issuer: borrowing Certificate, with issuerKey: borrowing PrivateKey, extensions: [(kind: Int32, value: String)]
  ) throws(LabError) {
    var context = X509V3_CTX()
    X509V3_set_ctx(&context, issuer.handle, handle, nil, nil, 0)
    for (kind, value) in extensions {
      guard let built = X509V3_EXT_conf_nid(nil, &context, kind, value) else { throw opensslFailure() }
      defer { X509_EXTENSION_free(built) }
      guard X509_add_ext(handle, built, -1) == 1 else { throw opensslFailure() }
    }
    guard X509_set_issuer_name(handle, X509_get_subject_name(issuer.handle)) == 1,
      X509_sign(handle, issuerKey.handle, EVP_sha256()) > 0
    else { throw opensslFailure() }
  }

  func pem() throws(LabError) -> String {
    try pemText { PEM_write_bio_X509($0, handle) }
  }
}

/// What `write` writes into memory; it returns 1 for success.
private func pemText(_ write: (OpaquePointer) -> Int32) throws(LabError) -> String {
  guard let memory = BIO_new(BIO_s_mem()) else { throw opensslFailure() }
  defer { BIO_free(memory) }
  guard write(memory) == 1 else { throw opensslFailure() }
  var text = [UInt8](repeating: 0, count: 16_384)
  let count = BIO_read(memory, &text, Int32(text.count))
  guard count > 0 else { throw opensslFailure() }
  return String(decoding: text.prefix(Int(count)), as: UTF8.self)
}

/// The reason OpenSSL noted last on this thread; the others are forgotten.
private func opensslFailure() -> LabError {
  var reason = [CChar](repeating: 0, count: 256)
  ERR_error_string_n(ERR_peek_last_error(), &reason, reason.count)
  ERR_clear_error()
  let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  return LabError(.system, "OpenSSL could not make a certificate: \(String(decoding: text, as: UTF8.self))")
}
