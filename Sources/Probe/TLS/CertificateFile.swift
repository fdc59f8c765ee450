import CLinux
import COpenSSL
import Glibc
import STUN

/// A PEM file of certificates as a server loads it, its own first.
package struct CertificateFile: Sendable {
  package let path: String
  /// One at least.
  package let certificates: [CertificateDetails]
  /// When it was written, in seconds since 1970.
  package let modified: Int64

  /// What is wrong with a file.
  package enum Flaw: Error, Sendable, Hashable {
    /// This process may not read it, or the disk fails: nothing is known of it.
    case unreadable(String)
    /// A server cannot use it: it is missing, or holds something else.
    case unusable(String)

    /// What is wrong, on which file; a clause.
    package var reason: String {
      switch self {
      case .unreadable(let reason), .unusable(let reason): reason
      }
    }
  }

  /// Reads the whole file.
  package init(_ path: String) throws(Flaw) {
    self.path = path
    let content = try FileContent(path)
    modified = content.modified
    var found: [CertificateDetails] = []
    let errors = content.parse { file in
      while let certificate = unsafe PEM_read_bio_X509(file, nil, nil, nil) {
        found.append(CertificateDetails(reading: certificate))
        X509_free(certificate)
      }
    }
    // If no further block begins, all was read.
    guard errors.contains(anyOf: [OpenSSLError.Kind(library: ERR_LIB_PEM, reason: PEM_R_NO_START_LINE)]) else {
      throw .unusable("certificate \(found.count + 1) of \(path) is damaged: \(errors.words.joined(separator: ", "))")
    }
    guard !found.isEmpty else {
      throw .unusable("\(path) holds \(content.kind), and no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    }
    certificates = found
  }

  /// The place, from 0, of the certificate that a key belongs to; nil if it is none of them.
  ///
  /// - Parameter key: a PEM file of a private key. It is read, compared and forgotten.
  /// - Throws: what is wrong with the file; a key under a passphrase is unreadable.
  package func place(ofKey key: String) throws(Flaw) -> Int? {
    let content = try FileContent(key)
    var parsed: OpaquePointer?
    let errors = content.parse { file in
      // Otherwise the library asks the terminal for a passphrase.
      parsed = unsafe PEM_read_bio_PrivateKey(file, nil, { _, _, _, _ in -1 }, nil)
    }
    guard let parsed else {
      if errors.contains(anyOf: OpenSSLError.lockedKey) {
        throw .unreadable("\(key) is under a passphrase, so that nobody can tell which certificate it belongs to")
      }
      throw .unusable("\(key) holds \(content.kind), and no private key in PEM that can be read")
    }
    defer { EVP_PKEY_free(parsed) }
    defer { ERR_clear_error() }
    return certificates.firstIndex { certificate in
      guard let certificate = certificate.parsed() else { return false }
      defer { X509_free(certificate) }
      return X509_check_private_key(certificate, parsed) == 1
    }
  }

  /// Whether the first certificate is the issuer of another one: then it is no server's.
  package var beginsWithIssuer: Bool {
    certificates.dropFirst().contains { $0.issuer == certificates[0].subject && $0.subject != $0.issuer }
  }
}

/// The bytes of a file of certificates or keys.
private struct FileContent {
  let bytes: [UInt8]
  /// Seconds since 1970.
  let modified: Int64

  /// Real ones are of some kilobytes.
  private static let maximumSize = 1 << 20

  init(_ path: String) throws(CertificateFile.Flaw) {
    // A pipe would be waited for.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw Self.flaw(path) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw Self.flaw(path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unusable("\(path) is no regular file") }
    guard status.st_size <= Self.maximumSize else {
      throw .unusable("\(path) is of \(status.st_size) bytes: no file of certificates")
    }
    modified = Int64(status.st_mtim.tv_sec)
    var read = [UInt8](repeating: 0, count: Self.maximumSize)
    var length = 0
    while length < read.count {
      let count = unsafe read.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.flaw(path) }
      if count == 0 { break }
      length += count
    }
    bytes = Array(read.prefix(length))
  }

  private static func flaw(_ path: String) -> CertificateFile.Flaw {
    let code = errno
    let reason = "\(path): \(unsafe String(cString: strerror(code)))"
    return [ENOENT, ENOTDIR, ELOOP, ENXIO].contains(code) ? .unusable(reason) : .unreadable(reason)
  }

  /// Gives `body` the bytes to read from; what the library had to say of them comes back.
  func parse(_ body: (OpaquePointer) -> Void) -> OpenSSLErrors {
    ERR_clear_error()
    unsafe bytes.withUnsafeBytes { buffer in
      guard let file = unsafe BIO_new_mem_buf(buffer.baseAddress, CInt(buffer.count)) else { return }
      defer { BIO_free(file) }
      body(file)
    }
    return OpenSSLErrors.take()
  }

  /// What it is, by its first bytes and its PEM blocks: `a PRIVATE KEY`, `a certificate in DER, …`.
  var kind: String {
    guard !bytes.isEmpty else { return "nothing" }
    if bytes[0] == 0x30 { return binaryKind }
    let labels = String(decoding: bytes, as: UTF8.self).matches(of: /-----BEGIN ([A-Z0-9 ]+)-----/).map { "a \($0.1)" }
    return labels.isEmpty ? "something else" : Set(labels).sorted().joined(separator: ", ")
  }

  private var binaryKind: String {
    let certificate = unsafe bytes.withUnsafeBufferPointer { buffer in
      var start = buffer.baseAddress
      return unsafe d2i_X509(nil, &start, buffer.count)
    }
    ERR_clear_error()
    guard let certificate else { return "binary data (a key in DER, or PKCS #12)" }
    X509_free(certificate)
    return "a certificate in DER (PEM is made of it by: openssl x509 -inform der -in FILE -out NEWFILE)"
  }
}
