import Glibc
package import Journal
import Probe
import STUN
package import Schema
package import Steps

/// Looks at the certificate that a server shows.
package struct TLSCertificate: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
  }

  package struct Output: Sendable {
    package var subject: String
    package var issuer: String
    package var names: [String]
    package var notBefore: Timestamp?
    package var notAfter: Timestamp?
    package var remaining: Duration
    package var keyType: String
    package var keyBits: Int
    package var signatureAlgorithm: String
    package var serialNumber: String
    package var fingerprint: String
    package var chain: Int
    package var trusted: Bool
    package var version: String
    package var cipher: String
    package var applicationProtocol: String?
  }

  package static let declaration = ModuleDeclaration(
    "tls.certificate", "Looks at the certificate that a server shows over TLS or DTLS.",
    discussion: """
      The transport is that of `tlsURI`, or else of `uri`: `turns:` and `stuns:` are TLS, with `?transport=udp` DTLS. A
      certificate that is not trusted here, has expired, or is for another name fails the step; what it says is put out
      all the same.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to look at, with its CA where that is your own.")
    ),
    output: Record(
      Output.init,
      Field("subject", \.subject, .string, "Whom it names, as RFC 2253 writes it."),
      Field("issuer", \.issuer, .string, "Who signed it."),
      Field("names", \.names, .list(.string), "The host names and addresses it is for."),
      Field("notBefore", \.notBefore, .optional(.timestamp), "When it begins to be valid."),
      Field("notAfter", \.notAfter, .optional(.timestamp), "When it ends to be valid."),
      Field("remaining", \.remaining, .duration, "How long it is still valid; negative when it has expired."),
      Field("keyType", \.keyType, .string, "The kind of its key: RSA, EC, ED25519."),
      Field("keyBits", \.keyBits, .int, "The size of its key."),
      Field("signatureAlgorithm", \.signatureAlgorithm, .string, "How it is signed."),
      Field("serialNumber", \.serialNumber, .string, "Its serial number in hexadecimal."),
      Field("fingerprint", \.fingerprint, .string, "SHA-256 over it, in hexadecimal."),
      Field("chain", \.chain, .int, "How many certificates the server sent."),
      Field("trusted", \.trusted, .bool, "Whether it is trusted, valid now, and for this server's name."),
      Field("version", \.version, .string, "The version that was agreed on."),
      Field("cipher", \.cipher, .string, "The cipher that was agreed on."),
      Field("applicationProtocol", \.applicationProtocol, .optional(.string), "ALPN, where the server selected one.")
    ),
    examples: [
      .init(
        "The certificate is good for three weeks", with: "server: ${target}",
        expect: ["output.remaining > duration('504h')"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    objection(input.server.overTLS, within: timeout) { server, _ throws(ProbeFailure) in
      try CertificateProbe(server: server).checkInput()
    }
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try Server(input.server.overTLS)
    let handshake = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      try await CertificateProbe(server: server).run(deadline: deadline)
    }
    guard let certificate = handshake.certificates.first else {
      throw .failed(ProbeFailure.Code.tlsFailed.rawValue, "\(server.uri) showed no certificate.", advice: nil)
    }
    let output = Output(
      subject: certificate.subject, issuer: certificate.issuer, names: certificate.names,
      notBefore: Timestamp(seconds: certificate.notBefore, nanoseconds: 0),
      notAfter: Timestamp(seconds: certificate.notAfter, nanoseconds: 0),
      remaining: .seconds(certificate.notAfter - Int64(time(nil))), keyType: certificate.keyType,
      keyBits: certificate.keyBits, signatureAlgorithm: certificate.signatureAlgorithm,
      serialNumber: certificate.serialNumber, fingerprint: certificate.fingerprint,
      chain: handshake.certificates.count, trusted: handshake.verification == nil, version: handshake.version,
      cipher: handshake.cipher, applicationProtocol: handshake.applicationProtocol)
    guard let failure = handshake.verification else { return .done(output) }
    let meaning = ProbeFailure(certificate: failure, of: "\(server.uri)")
    return .failed(output, Finding(meaning.code.rawValue, meaning.message, advice: meaning.advice))
  }
}
