import Addresses
import COpenSSL
import Glibc
import NIOCore
import STUN

/// One client side of TLS or DTLS without a socket: bytes in, bytes out. Used on one event loop.
final class TLSSession {
  private let handle: Handle
  private let queue = RecordQueue()
  private let context: TLSContext
  private let serverName: String
  private let demand = CertificateDemand()
  private var isEstablished = false
  private var heard = DatagramsHeard()

  /// Whether the server asked for a certificate of ours.
  private final class CertificateDemand {
    var isMade = false
  }

  /// Owns one `SSL *`.
  private struct Handle: ~Copyable {
    let raw: OpaquePointer
    init(_ raw: OpaquePointer) { self.raw = raw }
    deinit { SSL_free(raw) }
  }

  /// - Parameter serverName: for SNI and the name check: a host name or an IP address.
  init(_ context: TLSContext, serverName: String) throws(TLSFailure) {
    self.context = context
    // A name that ends in a dot is the same name; SNI and certificates have none (RFC 6066, section 3).
    let serverName = serverName.hasSuffix(".") ? String(serverName.dropLast()) : serverName
    self.serverName = serverName
    ERR_clear_error()
    guard let raw = context.makeSession() else { throw OpenSSLErrors.failure(.configuration, "no session") }
    handle = Handle(raw)
    guard let bio = RecordBIO.make(over: queue, isDatagram: context.isDatagram) else {
      throw OpenSSLErrors.failure(.configuration, "no BIO")
    }
    SSL_set_bio(raw, bio, bio)
    SSL_set_connect_state(raw)
    unsafe SSL_set_cert_cb(
      raw,
      { _, demand in
        if let demand { unsafe Unmanaged<CertificateDemand>.fromOpaque(demand).takeUnretainedValue().isMade = true }
        return 1
      }, Unmanaged.passUnretained(demand).toOpaque())
    if context.isDatagram { COpenSSL_set_mtu(raw, 1200) }
    SSL_set_hostflags(raw, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    let isNamed: Bool
    if IPAddress(serverName) != nil {
      isNamed = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), serverName) == 1
    } else {
      isNamed = SSL_set1_host(raw, serverName) == 1 && COpenSSL_set_server_name(raw, serverName) == 1
    }
    guard isNamed else { throw OpenSSLErrors.failure(.configuration, "\(serverName) cannot be checked") }
    let protocols = context.options.applicationProtocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    if !protocols.isEmpty { SSL_set_alpn_protos(raw, protocols, UInt32(protocols.count)) }
  }

  // MARK: Bytes

  /// Takes in bytes, or one datagram, from the network.
  func receive(_ bytes: ByteBuffer) {
    if context.isDatagram, !isEstablished { heard.note(bytes) }
    queue.push(bytes)
  }

  /// Why there is no handshake once its time is over, where something was heard and none of it was DTLS. Before that it may
  /// be a stranger's.
  var reasonForTimeout: TLSFailure? { heard.failure }

  /// What is to be sent to the network, datagram by datagram.
  func takeOutbound() -> [ByteBuffer] { queue.takeOutbound() }

  enum Progress {
    case done
    case needsMore
  }

  /// Goes on with the handshake as far as what has arrived allows.
  func handshake() throws(TLSFailure) -> Progress {
    ERR_clear_error()
    let result = SSL_do_handshake(handle.raw)
    isEstablished = result == 1
    if isEstablished { return .done }
    switch SSL_get_error(handle.raw, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
      try checkHellos()
      return .needsMore
    default: throw failure()
    }
  }

  /// A DTLS server asks once for its cookie back (HelloVerifyRequest, RFC 6347, section 4.2.1); each time makes a ClientHello
  /// with the next message number. The library would answer for ever.
  private func checkHellos() throws(TLSFailure) {
    guard context.isDatagram,
      let hellos = queue.outbound.lazy.compactMap(DatagramsHeard.helloNumber).max(), hellos > Self.maximumCookies
    else { return }
    _ = queue.takeOutbound()
    throw TLSFailure(
      .other, "the server asked for its cookie \(hellos) times (HelloVerifyRequest), and never went on")
  }

  /// One is the rule; a second may be asked for with a cookie that has just expired.
  private static let maximumCookies = 4

  /// What the library's words mean. With TLS 1.3 the server's judgement of our certificate comes after the handshake; and
  /// who has made one speaks TLS, whatever comes then.
  private func failure() -> TLSFailure {
    let errors = OpenSSLErrors.take()
    let failure = errors.handshakeFailure
    if isEstablished, failure.kind == .notTLS { return TLSFailure(.other, failure.detail) }
    guard failure.kind == .refused, demand.isMade, let alert = errors.alert, Self.certificateAlerts.contains(alert)
    else { return failure }
    let isShown = context.options.clientCertificate != nil
    return TLSFailure(isShown ? .clientCertificateRefused : .clientCertificateMissing, failure.detail)
  }

  /// The alerts that a server sends for a client's certificate; a failed handshake is one before TLS 1.3 (RFC 8446,
  /// section 6.2; RFC 5246, section 7.2.2; none at all is SSL 3.0's, RFC 6101, section 5.4.2).
  private static let certificateAlerts: Set<CInt> = [
    SSL_AD_HANDSHAKE_FAILURE, SSL3_AD_NO_CERTIFICATE, SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE,
    SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA,
    SSL_AD_ACCESS_DENIED, SSL_AD_CERTIFICATE_REQUIRED,
  ]

  enum Plaintext {
    case bytes(ByteBuffer)
    case needsMore
    /// The server said that nothing more will come.
    case closed
  }

  /// The next piece of plain text; over DTLS one record.
  func read() throws(TLSFailure) -> Plaintext {
    ERR_clear_error()
    var buffer = ByteBufferAllocator().buffer(capacity: 16_384)
    var result: CInt = 0
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16_384) { target in
      result = unsafe SSL_read(handle.raw, target.baseAddress, CInt(target.count))
      return max(0, Int(result))
    }
    if result > 0 { return .bytes(buffer) }
    switch SSL_get_error(handle.raw, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsMore
    case SSL_ERROR_ZERO_RETURN: return .closed
    default: throw failure()
    }
  }

  /// Encrypts plain text; over DTLS it becomes one record.
  func write(_ bytes: ByteBuffer) throws(TLSFailure) {
    guard bytes.readableBytes > 0 else { return }
    ERR_clear_error()
    let result = bytes.withUnsafeReadableBytes { source in
      unsafe SSL_write(handle.raw, source.baseAddress, CInt(source.count))
    }
    guard result > 0 else { throw failure() }
  }

  /// Says that nothing more will come.
  func shutDown() { SSL_shutdown(handle.raw) }

  /// How long until DTLS wants to repeat a flight; nil when no timer runs.
  var timeout: TimeAmount? {
    guard context.isDatagram else { return nil }
    let microseconds = COpenSSL_dtls_timeout(handle.raw)
    return microseconds < 0 ? nil : .microseconds(microseconds)
  }

  func timeoutPassed() { COpenSSL_dtls_handle_timeout(handle.raw) }

  // MARK: What came out

  /// What was agreed; to be asked after the handshake.
  func summary() -> TLSHandshake {
    var name: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    unsafe SSL_get0_alpn_selected(handle.raw, &name, &length)
    let selected = unsafe name.map {
      unsafe String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self)
    }
    let chain = SSL_get_peer_cert_chain(handle.raw)
    let certificates = (0..<max(0, COpenSSL_certificate_count(chain))).compactMap { index in
      COpenSSL_certificate(chain, index).map(CertificateDetails.init(reading:))
    }
    let judgement =
      context.options.reportsVerification || SSL_get_verify_result(handle.raw) != X509_V_OK && context.judgesCertificate
      ? ChainJudgement(of: certificates, trust: context.trust, at: Int64(time(nil))) : nil
    return TLSHandshake(
      version: unsafe String(cString: SSL_get_version(handle.raw)),
      cipher: SSL_get_current_cipher(handle.raw).map { unsafe String(cString: SSL_CIPHER_get_name($0)) } ?? "",
      group: COpenSSL_group(handle.raw).map { unsafe String(cString: $0) }, applicationProtocol: selected,
      certificates: certificates, verification: verification(certificates.first, judgement), judgement: judgement)
  }

  private func verification(_ certificate: CertificateDetails?, _ judgement: ChainJudgement?) -> TLSFailure? {
    guard context.judgesCertificate else { return TLSFailure(.certificateInvalid, "it was not looked at") }
    if let failure = judgement?.failure { return failure }
    let result = SSL_get_verify_result(handle.raw)
    guard result != X509_V_OK else { return nil }
    let kind: TLSFailure.Kind =
      switch CInt(truncatingIfNeeded: result) {
      case X509_V_ERR_CERT_HAS_EXPIRED: .expired
      case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
      case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .nameMismatch
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        .untrusted
      default: .certificateInvalid
      }
    if kind == .nameMismatch, let certificate {
      return TLSFailure(kind, "it is for \(certificate.shortNames), not for \(serverName)")
    }
    return TLSFailure(kind, unsafe String(cString: X509_verify_cert_error_string(result)))
  }
}
