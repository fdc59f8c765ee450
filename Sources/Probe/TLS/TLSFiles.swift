import COpenSSL
import STUN

extension TLSOptions {
  /// One of the files that the options name, which cannot be used.
  package struct FileProblem: Sendable, Hashable {
    /// What the file is for, as ``TLSOptions`` names it: `trustFile`, and `chainFile` and `keyFile` of `clientCertificate`.
    package enum Role: Sendable, Hashable {
      case trust
      case chain
      case key
    }

    package let role: Role
    /// What is wrong with it, in the library's words.
    package let reason: String
  }

  /// What would keep connections with these options from being set up, found without one: no certificate in a file, no
  /// key, a key that is another certificate's or asks for a passphrase.
  package func fileProblems() -> [FileProblem] {
    guard let raw = SSL_CTX_new(TLS_client_method()) else { return [] }
    defer { SSL_CTX_free(raw) }
    var problems: [FileProblem] = []
    func check(_ role: FileProblem.Role, _ load: () throws(TLSFailure) -> Void) -> Bool {
      ERR_clear_error()
      do throws(TLSFailure) { try load() } catch {
        problems.append(FileProblem(role: role, reason: error.detail))
        return false
      }
      return true
    }
    if let trustFile { _ = check(.trust) { () throws(TLSFailure) in try TLSContext.loadTrust(trustFile, raw) } }
    if let files = clientCertificate,
      check(.chain, { () throws(TLSFailure) in try TLSContext.loadChain(files.chainFile, raw) })
    {
      _ = check(.key) { () throws(TLSFailure) in try TLSContext.loadKey(files.keyFile, raw) }
    }
    return problems
  }
}

extension TLSContext {
  static func loadTrust(_ file: String, _ raw: OpaquePointer) throws(TLSFailure) {
    guard COpenSSL_set_trust_file(raw, file) == 1 else {
      throw OpenSSLErrors.failure(.configuration, "\(file) holds no certificates")
    }
  }

  static func loadChain(_ file: String, _ raw: OpaquePointer) throws(TLSFailure) {
    guard SSL_CTX_use_certificate_chain_file(raw, file) == 1 else {
      throw OpenSSLErrors.failure(.configuration, "\(file) holds no certificate")
    }
  }

  /// Loads the key of the certificate that was loaded before.
  static func loadKey(_ file: String, _ raw: OpaquePointer) throws(TLSFailure) {
    // Otherwise the library asks the terminal for a passphrase.
    SSL_CTX_set_default_passwd_cb(raw) { _, _, _, _ in -1 }
    // A key of another kind than the certificate's is taken, for a certificate of its own that there is none of.
    guard SSL_CTX_use_PrivateKey_file(raw, file, SSL_FILETYPE_PEM) == 1, SSL_CTX_check_private_key(raw) == 1 else {
      let errors = OpenSSLErrors.take()
      let what =
        if errors.contains(anyOf: othersKey) {
          "is the key of another certificate"
        } else if errors.contains(anyOf: OpenSSLError.lockedKey) {
          "is protected by a passphrase, which nobody is asked for"
        } else {
          "holds no private key"
        }
      throw TLSFailure(.configuration, (["\(file) \(what)"] + errors.words).joined(separator: ": "))
    }
  }

  private static let othersKey: Set<OpenSSLError.Kind> = [
    .tls(SSL_R_NO_CERTIFICATE_ASSIGNED),
    OpenSSLError.Kind(library: ERR_LIB_X509, reason: X509_R_KEY_TYPE_MISMATCH),
    OpenSSLError.Kind(library: ERR_LIB_X509, reason: X509_R_KEY_VALUES_MISMATCH),
  ]
}

extension OpenSSLError {
  /// A key under a passphrase, which nobody is asked for.
  static let lockedKey: Set<Kind> = [
    Kind(library: ERR_LIB_PEM, reason: PEM_R_BAD_PASSWORD_READ),
    Kind(library: ERR_LIB_PEM, reason: PEM_R_PROBLEMS_GETTING_PASSWORD),
    Kind(library: ERR_LIB_PEM, reason: PEM_R_BAD_DECRYPT),
    Kind(library: ERR_LIB_PROV, reason: PROV_R_UNABLE_TO_GET_PASSPHRASE),
    Kind(library: ERR_LIB_PROV, reason: PROV_R_BAD_DECRYPT),
    Kind(library: ERR_LIB_EVP, reason: EVP_R_BAD_DECRYPT),
  ]
}
