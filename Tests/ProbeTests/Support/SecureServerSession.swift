import COpenSSL
import Lab
import NIOCore
import TestSupport

@testable import Probe

/// What a TLS or DTLS server shows: a certificate for 127.0.0.1, by an authority of its own.
final class SecureServerIdentity: @unchecked Sendable {
  private let folder: TemporaryFolder
  // Not changed any more once it is set up.
  fileprivate let context: OpaquePointer
  fileprivate let isDatagram: Bool

  /// The certificate to trust, as a PEM file.
  var authority: String { folder.path + "/ca.pem" }

  struct SetUpFailure: Error {}

  /// - Parameters:
  ///   - clientAuthority: a PEM file; clients must show a certificate by this authority.
  ///   - version: the only one that it speaks, with whatever ciphers there are; nil leaves it to the library.
  init(isDatagram: Bool, clientAuthority: String? = nil, version: TLSVersion? = nil) throws {
    folder = try TemporaryFolder()
    let certificate = try ServerCertificate.issue()
    try folder.write(certificate.authority, to: "ca.pem")
    try folder.write(certificate.certificate, to: "server.pem")
    try folder.write(certificate.key, to: "server-key.pem", mode: 0o600)
    guard let context = SSL_CTX_new(isDatagram ? DTLS_server_method() : TLS_server_method()) else {
      throw SetUpFailure()
    }
    self.context = context
    self.isDatagram = isDatagram
    guard SSL_CTX_use_certificate_chain_file(context, folder.path + "/server.pem") == 1,
      SSL_CTX_use_PrivateKey_file(context, folder.path + "/server-key.pem", SSL_FILETYPE_PEM) == 1
    else { throw SetUpFailure() }
    if let version {
      guard COpenSSL_set_versions(context, version.number, version.number) == 1,
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") == 1
      else { throw SetUpFailure() }
    }
    if let clientAuthority {
      guard COpenSSL_set_trust_file(context, clientAuthority) == 1 else { throw SetUpFailure() }
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
  }

  deinit { SSL_CTX_free(context) }
}

/// The server's side of one TLS or DTLS session, without a socket. Flights that get lost are not sent again.
final class SecureServerSession {
  private let identity: SecureServerIdentity
  private let handle: OpaquePointer
  private let queue = RecordQueue()

  init(_ identity: SecureServerIdentity) throws {
    self.identity = identity
    guard let handle = SSL_new(identity.context) else { throw SecureServerIdentity.SetUpFailure() }
    self.handle = handle
    guard let bio = RecordBIO.make(over: queue, isDatagram: identity.isDatagram) else {
      throw SecureServerIdentity.SetUpFailure()
    }
    SSL_set_bio(handle, bio, bio)
    SSL_set_accept_state(handle)
    if identity.isDatagram { COpenSSL_set_mtu(handle, 1200) }
  }

  deinit { SSL_free(handle) }

  /// Takes in bytes, or a datagram; gives what was said inside, record by record. There may be something to send then.
  func receive(_ bytes: ByteBuffer) -> [ByteBuffer] {
    queue.push(bytes)
    ERR_clear_error()
    var said: [ByteBuffer] = []
    while true {
      var record = ByteBufferAllocator().buffer(capacity: 16_384)
      var count: CInt = 0
      record.writeWithUnsafeMutableBytes(minimumWritableBytes: 16_384) { target in
        // It makes the handshake first.
        count = SSL_read(handle, target.baseAddress, CInt(target.count))
        return max(0, Int(count))
      }
      guard count > 0 else { return said }
      said.append(record)
    }
  }

  /// What is to be sent, piece by piece.
  func takeOutbound() -> [ByteBuffer] { queue.takeOutbound() }

  /// The records that say this.
  func protect(_ bytes: ByteBuffer) -> [ByteBuffer] {
    _ = bytes.withUnsafeReadableBytes { SSL_write(handle, $0.baseAddress, CInt($0.count)) }
    return takeOutbound()
  }
}
