import COpenSSL

/// The ciphers that are worth asking a server for.
enum CipherSuites {
  /// The names of what OpenSSL knows for a version, and of well-known broken ones, which it may no longer have.
  static func known(for version: TLSVersion) -> [String] {
    if version == .tls13 {
      return [
        "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256",
      ]
    }
    return library(version.isDatagram) + ["RC4-SHA", "RC4-MD5", "DES-CBC-SHA", "DES-CBC3-SHA", "EXP-RC4-MD5"]
  }

  /// Without forward secrecy, without authenticated encryption, without authentication, or broken (RFC 9325,
  /// section 4.1 and 4.2).
  static func isLegacy(_ cipher: String) -> Bool {
    if cipher.hasPrefix("TLS_") { return false }
    let isForwardSecret = cipher.hasPrefix("ECDHE-") || cipher.hasPrefix("DHE-")
    let isAuthenticated = ["GCM", "CHACHA20", "CCM"].contains { cipher.contains($0) }
    return !isForwardSecret || !isAuthenticated
  }

  /// Certificate-based ciphers of the linked library: those of pre-shared keys and SRP need what no TURN server has.
  private static func library(_ isDatagram: Bool) -> [String] {
    guard let context = SSL_CTX_new(isDatagram ? DTLS_client_method() : TLS_client_method()) else { return [] }
    defer { SSL_CTX_free(context) }
    guard SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0") == 1,
      let list = SSL_CTX_get_ciphers(context)
    else { return [] }
    return (0..<COpenSSL_cipher_count(list)).compactMap { index in
      guard let cipher = COpenSSL_cipher(list, index) else { return nil }
      let name = unsafe String(cString: SSL_CIPHER_get_name(cipher))
      return name.hasPrefix("TLS_") ? nil : name
    }
  }
}
