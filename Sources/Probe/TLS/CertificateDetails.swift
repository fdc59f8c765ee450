import Addresses
import COpenSSL
package import STUN

/// What a handshake agreed on, and what the server showed.
package struct TLSHandshake: Sendable, Hashable {
  /// As OpenSSL names it: `TLSv1.3`, `DTLSv1.2`.
  package let version: String
  /// As OpenSSL names it: `TLS_AES_256_GCM_SHA384`.
  package let cipher: String
  /// What keys were agreed with, as OpenSSL names it: `X25519`, `prime256v1`, `secp521r1`; nil for a plain RSA or DH exchange.
  package let group: String?
  /// ALPN; nil if the server selected none.
  package let applicationProtocol: String?
  /// The server's own first, then as they were sent.
  package let certificates: [CertificateDetails]
  /// nil if the chain is trusted, valid at this time, and for the server's name.
  package let verification: TLSFailure?
  /// What the chain is worth, whatever the name; nil if trust was not set up.
  package let judgement: ChainJudgement?
}

/// What a certificate says.
package struct CertificateDetails: Sendable, Hashable {
  /// As RFC 2253 writes it.
  package let subject: String
  package let issuer: String
  /// DNS names and IP addresses of the subject alternative name.
  package let names: [String]
  /// Its DNS names alone.
  let hostNames: [String]
  /// Its IP addresses alone.
  let addresses: [IPAddress]
  /// Seconds since 1970.
  package let notBefore: Int64
  package let notAfter: Int64
  /// Hexadecimal.
  package let serialNumber: String
  /// `RSA`, `EC`, `ED25519`.
  package let keyType: String
  package let keyBits: Int
  /// `RSA-SHA256`, `ecdsa-with-SHA256`.
  package let signatureAlgorithm: String
  /// SHA-256 over the certificate, in lower-case hexadecimal.
  package let fingerprint: String
  /// The certificate itself, DER.
  package let encoded: [UInt8]

  /// Whom it is for, in a few words, however many names it has: the first three, cut where they are long.
  var shortNames: String {
    let all = names.isEmpty ? ["\(subject) (without an alternative name)"] : names
    let shown = all.prefix(3).map(Self.cut).joined(separator: ", ")
    return all.count > 3 ? "\(shown) and \(all.count - 3) more" : shown
  }

  /// By scalars: any number of them can be one character.
  private static func cut(_ name: String) -> String {
    let start = name.unicodeScalars.prefix(64)
    return start.endIndex < name.endIndex ? "\(String(start))…" : name
  }

  /// Reads a certificate that stays the caller's.
  init(reading certificate: OpaquePointer) {
    subject = Self.text(of: X509_get_subject_name(certificate))
    issuer = Self.text(of: X509_get_issuer_name(certificate))
    let alternatives = Self.alternativeNames(of: certificate)
    (names, hostNames, addresses) = (alternatives.all, alternatives.hosts, alternatives.addresses)
    notBefore = Self.seconds(X509_get0_notBefore(certificate))
    notAfter = Self.seconds(X509_get0_notAfter(certificate))
    serialNumber = Self.hexadecimal(of: X509_get0_serialNumber(certificate))
    let key = X509_get0_pubkey(certificate)
    keyBits = Int(EVP_PKEY_get_bits(key))
    keyType = unsafe EVP_PKEY_get0_type_name(key).map { unsafe String(cString: $0) } ?? "unknown"
    signatureAlgorithm =
      unsafe OBJ_nid2ln(X509_get_signature_nid(certificate)).map { unsafe String(cString: $0) } ?? "unknown"
    encoded = Self.encoding(of: certificate)
    fingerprint = Self.fingerprint(of: certificate)
  }

  private static func text(of name: OpaquePointer?) -> String {
    guard let name else { return "" }
    var bytes = [CChar](repeating: 0, count: 4096)
    let length = COpenSSL_name_text(name, &bytes, CInt(bytes.count))
    return String(decoding: bytes.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private final class Names {
    var all: [String] = []
    var hosts: [String] = []
    var addresses: [IPAddress] = []
  }

  private static func alternativeNames(of certificate: OpaquePointer) -> Names {
    let names = Names()
    unsafe COpenSSL_each_alternative_name(certificate, Unmanaged.passUnretained(names).toOpaque()) {
      context, kind, bytes, count in
      guard let context, let bytes else { return }
      let names = unsafe Unmanaged<Names>.fromOpaque(context).takeUnretainedValue()
      let octets = unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
      if kind == CChar(UInt8(ascii: "I")) {
        guard let address = IPAddress(octets: octets) else { return }
        names.all.append("\(address)")
        names.addresses.append(address)
      } else {
        names.all.append(String(decoding: octets, as: UTF8.self))
        names.hosts.append(String(decoding: octets, as: UTF8.self))
      }
    }
    return names
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    var (days, rest): (CInt, CInt) = (0, 0)
    guard let epoch = ASN1_TIME_set(nil, 0) else { return 0 }
    defer { unsafe ASN1_TIME_free(epoch) }
    unsafe ASN1_TIME_diff(&days, &rest, epoch, time)
    return Int64(days) * 86_400 + Int64(rest)
  }

  private static func hexadecimal(of number: UnsafePointer<ASN1_INTEGER>?) -> String {
    guard let big = unsafe ASN1_INTEGER_to_BN(number, nil) else { return "" }
    defer { BN_free(big) }
    guard let text = BN_bn2hex(big) else { return "" }
    defer { unsafe CRYPTO_free(text, nil, 0) }
    return unsafe String(cString: text)
  }

  private static func fingerprint(of certificate: OpaquePointer) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    guard X509_digest(certificate, EVP_sha256(), &digest, nil) == 1 else { return "" }
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func encoding(of certificate: OpaquePointer) -> [UInt8] {
    var bytes: UnsafeMutablePointer<UInt8>?
    let length = unsafe i2d_X509(certificate, &bytes)
    guard length > 0, let bytes else { return [] }
    defer { unsafe CRYPTO_free(bytes, nil, 0) }
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(length)))
  }
}
