import Glibc
import Journal
import Probe
import Processes
import STUN
package import Schema
package import Steps

/// Looks at a certificate and its key in files.
package struct TLSFilesModule: StepModule {
  package struct Input: Sendable {
    package var certificate: String
    package var key: String?
    package var ca: String?
    package var names: [String]
    package var user: String?
  }

  /// Whether the service's user can read one of the files.
  package struct Access: Hashable, Sendable {
    package var path: String
    package var readable: Bool
    package var obstacle: String?
  }

  package struct Output: Sendable {
    package var subject: String
    package var issuer: String
    package var names: [String]
    package var notBefore: Timestamp?
    package var notAfter: Timestamp?
    package var daysLeft: Int?
    package var endsFirst: String?
    package var keyType: String
    package var keyBits: Int
    package var signatureAlgorithm: String
    package var fingerprint: String
    package var certificates: [CertificateRecord]
    package var notes: [String]
    package var trusted: Bool
    package var expectedNames: [NameRecord]
    package var keyMatches: Bool?
    package var access: [Access]
  }

  private static let access = Record(
    Access.init,
    Field("path", \.path, .path, "The file."),
    Field("readable", \.readable, .bool, "Whether the user can read it, through every folder above it."),
    Field("obstacle", \.obstacle, .optional(.string), "What keeps the user from it; absent: nothing.")
  )

  package static let declaration = ModuleDeclaration(
    "tls.files", "Looks at a server's certificate and key as they lie on this host.",
    discussion: """
      It judges what the file holds as a client would if it were served: trust, dates, names, as `tls.certificate` does. A file
      that is missing, damaged or holds something else fails the step, and so does one whose first certificate is not the
      server's own. With `key` it fails if the key belongs to another certificate, and warns if everybody on this host can read
      it. With `user` it fails if that user cannot read one of the files, through every folder and link on the way. A file that
      this process may not read, or a key under a passphrase, is an error: nothing is known then.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("certificate", \.certificate, .path, "The PEM file of the chain, the server's own certificate first."),
      Field("key", \.key, .optional(.path), "The PEM file of its private key."),
      Field("ca", \.ca, .optional(.path), "The PEM file of certificates that are trusted in place of the system's."),
      Field("names", \.names, .list(.string), default: [], "Every name and address that it must be for."),
      Field("user", \.user, .optional(.string), "The user that the service runs as: a name, or UID, or UID:GID.")
    ),
    output: Record(
      Output.init,
      Field("subject", \.subject, .string, "Whom it names, as RFC 2253 writes it."),
      Field("issuer", \.issuer, .string, "Who signed it."),
      Field("names", \.names, .list(.string), "The host names and addresses it is for."),
      Field("notBefore", \.notBefore, .optional(.timestamp), "When it begins to be valid."),
      Field("notAfter", \.notAfter, .optional(.timestamp), "When it stops being valid."),
      Field(
        "daysLeft", \.daysLeft, .optional(.int),
        "Whole days until the first certificate of the path that verifies ends; negative after it; absent: no path does."
      ),
      Field("endsFirst", \.endsFirst, .optional(.string), "The subject of that certificate."),
      Field("keyType", \.keyType, .string, "The kind of its key: RSA, EC, ED25519."),
      Field("keyBits", \.keyBits, .int, "The size of its key."),
      Field("signatureAlgorithm", \.signatureAlgorithm, .string, "How it is signed."),
      Field("fingerprint", \.fingerprint, .string, "SHA-256 over it, in hexadecimal."),
      Field("certificates", \.certificates, .list(.record(CertificateRecord.record)), "Everything in the file."),
      Field("notes", \.notes, .list(.string), "What is unusual about it, but harmless."),
      Field("trusted", \.trusted, .bool, "Whether it is trusted, valid now, and for every expected name."),
      Field("expectedNames", \.expectedNames, .list(.record(NameRecord.record)), "Each expected name."),
      Field(
        "keyMatches", \.keyMatches, .optional(.bool), "Whether the key is the first certificate's; absent: none given."),
      Field("access", \.access, .list(.record(access)), "Whether the user can read each file; empty: no user given.")
    ),
    examples: [
      .init(
        "The service can load its certificate, and need not soon load another",
        with: "certificate: /etc/coturn/fullchain.pem\nkey: /etc/coturn/privkey.pem\nuser: turnserver",
        expect: ["has(output.daysLeft) && output.daysLeft >= 21"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let now = Int64(time(nil))
    let look = try await onBlockingThread { () throws(StepError) in try FileInspection(input, at: now) }
    let certificate = look.file.certificates[0]
    let names = NameRecord.all(input.names, of: certificate)
    let judgement = look.judgement
    let output = Output(
      subject: certificate.subject, issuer: certificate.issuer, names: certificate.names,
      notBefore: certificate.beginning, notAfter: certificate.end, daysLeft: judgement.daysLeft(at: now),
      endsFirst: judgement.endingFirst?.subject, keyType: certificate.keyType, keyBits: certificate.keyBits,
      signatureAlgorithm: certificate.signatureAlgorithm, fingerprint: certificate.fingerprint,
      certificates: CertificateRecord.all(look.file.certificates, at: now), notes: judgement.notes,
      trusted: judgement.failure == nil && names.allSatisfy(\.covered), expectedNames: names,
      keyMatches: input.key.map { _ in look.keyPlace == 0 }, access: look.access)
    let findings =
      [look.misplaced(input), judgement.finding(of: input.certificate)].compactMap(\.self)
      + [NameRecord.finding(names, of: input.certificate, certificate)].compactMap(\.self) + look.unreadable(input)
    if let finding = Finding.joined(findings) { return .failed(output, finding) }
    if look.isKeyOpen { return .warned(output, Self.openKey(input.key ?? "")) }
    return .done(output)
  }

  private static func openKey(_ key: String) -> Finding {
    Finding(
      "tls.keyReadableByAll", "Everybody on this host can read the key \(key).",
      advice: "Take the permission away (chmod o-r), and give the service's user its own: as owner, or through a group."
    )
  }
}

/// What lies in the files, as far as this process can see.
private struct FileInspection: Sendable {
  let file: CertificateFile
  let judgement: ChainJudgement
  /// The place, from 0, of the key's certificate; nil: none, or no key is given.
  var keyPlace: Int?
  var isKeyOpen = false
  var access: [TLSFilesModule.Access] = []

  init(_ input: TLSFilesModule.Input, at now: Int64) throws(StepError) {
    do throws(CertificateFile.Flaw) {
      let read = try CertificateFile(input.certificate)
      if let key = input.key { keyPlace = try read.place(ofKey: key) }
      file = read
    } catch { throw Self.error(error) }
    do throws(TLSFailure) {
      judgement = try ChainJudgement(of: file.certificates, trustFile: input.ca, at: now)
    } catch {
      let meaning = ProbeFailure(certificate: error, of: input.certificate)
      throw .broken(meaning.code.rawValue, meaning.message, advice: meaning.advice)
    }
    if let key = input.key { isKeyOpen = try FileUser.anybody.obstacle(toReading: key) == nil }
    guard let user = input.user else { return }
    let account = try FileUser(user)
    for path in [input.certificate, input.key].compactMap(\.self) {
      let obstacle = try account.obstacle(toReading: path)
      access.append(.init(path: path, readable: obstacle == nil, obstacle: obstacle))
    }
  }

  private static func error(_ flaw: CertificateFile.Flaw) -> StepError {
    switch flaw {
    case .unreadable(let reason):
      .broken(
        "tls.fileUnreadable", "A file cannot be looked at: \(reason).",
        advice: "Run this as a user who may read the files. Of a key under a passphrase only the service can tell.")
    case .unusable(let reason):
      .failed(
        "tls.fileUnusable", "The service cannot use a file: \(reason).",
        advice: "Look at the paths, and at what the files hold: a chain in PEM, and its key in PEM.")
    }
  }

  /// A key, or a first certificate, that is not the server's own.
  func misplaced(_ input: TLSFilesModule.Input) -> Finding? {
    let message: String
    if let key = input.key, keyPlace != 0 {
      message =
        keyPlace.map { "\(key) is the key of certificate \($0 + 1) in \(file.path), which must come first." }
        ?? "\(key) is the key of no certificate in \(file.path)."
    } else if file.beginsWithIssuer {
      message =
        "The first certificate of \(file.path), \(file.certificates[0].subject), is the issuer of another one in it."
    } else {
      return nil
    }
    return Finding(
      "tls.keyMismatch", message,
      advice:
        "Put the server's own certificate first and its issuers behind it, and give the key that it was made with.")
  }

  /// A finding for each file that the user cannot read.
  func unreadable(_ input: TLSFilesModule.Input) -> [Finding] {
    access.filter { !$0.readable }.map { one in
      Finding(
        "tls.fileUnreadableByService", "\(input.user ?? "") cannot read \(one.path): \(one.obstacle ?? "").",
        advice: "Let the service's user through: with a group on the folders, or a copy that a renewal hook makes. "
          + "coturn switches TLS off silently if it cannot read one of these.")
    }
  }
}
