import Addresses
import Glibc
package import Journal
import Probe
import Processes
import STUN
package import Schema
package import Steps

/// Looks at the certificate that a server shows.
package struct TLSCertificate: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var addresses: Addresses
    package var startTLS: StartTLS
    package var names: [String]
    package var file: String?
  }

  package enum Addresses: String, Sendable, CaseIterable {
    case every
    case one
  }

  package enum StartTLS: String, Sendable, CaseIterable {
    case none
    case smtp
  }

  package struct Output: Sendable {
    package var subject: String
    package var issuer: String
    package var names: [String]
    package var notBefore: Timestamp?
    package var notAfter: Timestamp?
    package var remaining: Duration
    package var daysLeft: Int?
    package var endsFirst: String?
    package var keyType: String
    package var keyBits: Int
    package var signatureAlgorithm: String
    package var serialNumber: String
    package var fingerprint: String
    package var chain: Int
    package var sent: [CertificateRecord]
    package var notes: [String]
    package var trusted: Bool
    package var expectedNames: [NameRecord]
    package var fileServed: Bool?
    package var addresses: [ServedCertificate]
    package var version: String
    package var cipher: String
    package var group: String?
  }

  package static let declaration = ModuleDeclaration(
    "tls.certificate", "Looks at the certificate that a server shows over TLS or DTLS.",
    discussion: """
      The transport is that of `tlsURI`, or else of `uri`: `turns:` and `stuns:` are TLS, with `?transport=udp` DTLS; other
      services that begin with TLS are named as `turns:HOST:PORT`, too. Every address of the name is asked, and the outputs
      are of the certificate with a problem, or else of the one that ends first. The step fails if a certificate is not trusted
      here, is not valid now or lacks an expected name, and if an address shows none; what was seen is put out all the same.

      The path from the server's certificate to a trusted one decides: `daysLeft` is the least of its certificates, in whole
      days rounded down, and is absent if no path verifies. Whatever else is sent stands in `sent`, and in `notes` if it is odd.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server to look at, with its CA if that is your own."),
      Field(
        "addresses", \.addresses, .enumeration(Addresses.self), default: .every, "Which addresses of its name to ask."),
      Field(
        "startTLS", \.startTLS, .enumeration(StartTLS.self), default: StartTLS.none,
        "What is spoken before TLS begins; smtp needs a port in the URI."),
      Field(
        "names", \.names, .list(.string), default: [],
        "Every name and address that it must be for; empty: the host of the URI."),
      Field(
        "file", \.file, .optional(.path),
        "The PEM file on this host whose first certificate must be the one that is served.")
    ),
    output: Record(
      Output.init,
      Field("subject", \.subject, .string, "Whom it names, as RFC 2253 writes it."),
      Field("issuer", \.issuer, .string, "Who signed it."),
      Field("names", \.names, .list(.string), "The host names and addresses it is for."),
      Field("notBefore", \.notBefore, .optional(.timestamp), "When it begins to be valid."),
      Field("notAfter", \.notAfter, .optional(.timestamp), "When it stops being valid."),
      Field("remaining", \.remaining, .duration, "How long it is still valid itself; negative when it has expired."),
      Field(
        "daysLeft", \.daysLeft, .optional(.int),
        "Whole days until the first certificate of the path that verifies ends; negative after it; absent: no path does."
      ),
      Field("endsFirst", \.endsFirst, .optional(.string), "The subject of that certificate."),
      Field("keyType", \.keyType, .string, "The kind of its key: RSA, EC, ED25519."),
      Field("keyBits", \.keyBits, .int, "The size of its key."),
      Field("signatureAlgorithm", \.signatureAlgorithm, .string, "How it is signed."),
      Field("serialNumber", \.serialNumber, .string, "Its serial number in hexadecimal."),
      Field("fingerprint", \.fingerprint, .string, "SHA-256 over it, in hexadecimal."),
      Field("chain", \.chain, .int, "How many certificates the server sent."),
      Field("sent", \.sent, .list(.record(CertificateRecord.record)), "Everything that the server sent."),
      Field("notes", \.notes, .list(.string), "What is unusual about it, but harmless."),
      Field("trusted", \.trusted, .bool, "Whether it is trusted, valid now, and for every expected name."),
      Field("expectedNames", \.expectedNames, .list(.record(NameRecord.record)), "Each expected name."),
      Field(
        "fileServed", \.fileServed, .optional(.bool), "Whether it is the first one of `file`; absent: no file is given."
      ),
      Field("addresses", \.addresses, .list(.record(ServedCertificate.record)), "Every address that was asked."),
      Field("version", \.version, .string, "The version that was agreed on."),
      Field("cipher", \.cipher, .string, "The cipher that was agreed on."),
      Field("group", \.group, .optional(.string), "The group that keys were agreed with.")
    ),
    examples: [
      .init(
        "The certificate is good for three weeks", with: "server: ${target}",
        expect: ["has(output.daysLeft) && output.daysLeft >= 21"]),
      .init("The mail server's, too", with: "server: ${target}\nstartTLS: smtp", expect: ["output.trusted"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    objection(input.server.overTLS, within: timeout) { server, _ throws(ProbeFailure) in
      try CertificateProbe(server: server).checkInput()
      guard input.startTLS != .none else { return }
      try checkStartTLS(server, hasPort: true)
    }
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try server(input)
    let file = try await Self.read(input.file)
    let sightings = try await context.probing(server) { (deadline) async throws(ProbeFailure) in
      let probe = CertificateProbe(server: server)
      return input.addresses == .one
        ? try await probe.runOnce(deadline: deadline) : try await probe.runEverywhere(deadline: deadline)
    }
    let names = input.names.isEmpty ? [server.uri.host] : input.names
    let demand = ServedChain.Demand(names: names, file: file, now: Int64(time(nil)))
    let chains = ServedChain.all(sightings, demand)
    guard let worst = chains.min(by: { Self.rank($0) < Self.rank($1) }) else {
      throw .failed(ProbeFailure.Code.tlsFailed.rawValue, "\(server.uri) showed no certificate.")
    }
    let output = Self.output(worst, chains, sightings, at: demand.now)
    let silent = sightings.compactMap { sighting in
      if case .failure(let failure) = sighting.result { failure } else { nil }
    }
    let failures = chains.flatMap(\.findings) + silent.filter { !$0.isOwnReach }.map { Finding($0) }
    if let finding = Finding.joined(failures) { return .failed(output, finding) }
    if let finding = Finding.joined(silent.map { Finding($0) }) { return .warned(output, finding) }
    return .done(output)
  }

  private func server(_ input: Input) throws(StepError) -> ProbedServer {
    var server = try ProbedServer(input.server.overTLS)
    guard input.startTLS == .smtp else { return server }
    server.tls.startTLS = .smtp
    do throws(ProbeFailure) {
      try Self.checkStartTLS(server, hasPort: server.uri.port != nil)
    } catch { throw StepError(error) }
    return server
  }

  private static func checkStartTLS(_ server: ProbedServer, hasPort: Bool) throws(ProbeFailure) {
    guard server.transport == .tls, hasPort else {
      throw ProbeFailure(
        .invalidInput, "STARTTLS is spoken over TCP to a port that is named, which \(server.uri) does not do.",
        advice: "Write the mail server with its port: turns:mail.example.com:587.")
    }
  }

  private static func read(_ path: String?) async throws(StepError) -> CertificateFile? {
    guard let path else { return nil }
    do throws(CertificateFile.Flaw) {
      return try await onBlockingThread { () throws(CertificateFile.Flaw) in try CertificateFile(path) }
    } catch {
      throw .broken(
        "tls.fileUnreadable", "The file to compare with cannot be used: \(error.reason).",
        advice: "Give the PEM file that the server loads, on this host, readable by the user who runs this.")
    }
  }

  /// The least of these is spoken of: one with a problem, or else the one that ends first.
  private static func rank(_ chain: ServedChain) -> Int64 {
    chain.findings.isEmpty ? chain.handshake.judgement?.endingFirst?.notAfter ?? .min : .min
  }

  private static func output(
    _ chain: ServedChain, _ chains: [ServedChain], _ sightings: [CertificateProbe.Sighting], at now: Int64
  ) -> Output {
    let (certificate, handshake) = (chain.certificate, chain.handshake)
    var notes = handshake.judgement?.notes ?? []
    if chains.count > 1 {
      notes.append("Not every address shows the same: there are \(chains.count) different chains.")
    }
    return Output(
      subject: certificate.subject, issuer: certificate.issuer, names: certificate.names,
      notBefore: certificate.beginning, notAfter: certificate.end, remaining: .seconds(certificate.notAfter - now),
      daysLeft: chain.daysLeft, endsFirst: handshake.judgement?.endingFirst?.subject, keyType: certificate.keyType,
      keyBits: certificate.keyBits, signatureAlgorithm: certificate.signatureAlgorithm,
      serialNumber: certificate.serialNumber, fingerprint: certificate.fingerprint,
      chain: handshake.certificates.count, sent: CertificateRecord.all(handshake.certificates, at: now), notes: notes,
      trusted: chain.isTrusted, expectedNames: chain.names, fileServed: chain.isOfFile,
      addresses: sightings.map { served($0, chains) }, version: handshake.version, cipher: handshake.cipher,
      group: handshake.group)
  }

  private static func served(_ sighting: CertificateProbe.Sighting, _ chains: [ServedChain]) -> ServedCertificate {
    let address = "\(sighting.address)"
    if case .failure(let failure) = sighting.result {
      return ServedCertificate(address: address, trusted: false, problem: failure.message)
    }
    let chain = chains.first { $0.addresses.contains(sighting.address) }
    return ServedCertificate(
      address: address, fingerprint: chain?.certificate.fingerprint, daysLeft: chain?.daysLeft,
      trusted: chain?.isTrusted ?? false, problem: Finding.joined(chain?.findings ?? [])?.message)
  }
}
