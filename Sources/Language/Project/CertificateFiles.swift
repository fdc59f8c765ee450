internal import Files
internal import Schema

/// The PEM files that a target names, each as an absolute path.
package struct CertificateFiles: Hashable, Sendable {
  /// Which of the files.
  package enum Role: String, Hashable, Sendable {
    case ca
    case certificate
    case key
  }

  /// What keeps one of them from being used.
  package struct Problem: Hashable, Sendable {
    package var role: Role
    /// What is wrong, with the file's name, as a sentence without a full stop.
    package var reason: String
    /// What it must be instead; nil if the reason says it.
    package var advice: String?

    package init(_ role: Role, _ reason: String, advice: String? = nil) {
      self.role = role
      self.reason = reason
      self.advice = advice
    }
  }

  /// Certificates that are trusted in place of the system's.
  package var ca: String?
  /// Our own certificate, the rest of its chain behind it.
  package var certificate: String?
  /// The private key of that certificate.
  package var key: String?
}

/// A file that a target names, and where it does.
struct NamedFile: Sendable {
  /// As it was written.
  var path: String
  var range: SourceRange

  func absolute(in root: String) -> String { path.hasPrefix("/") ? path : "\(root)/\(path)" }
}

extension TargetDeclaration {
  /// The largest file of certificates that is looked at: systems' stores have a quarter of it.
  private static let maximumSize = 1 << 20

  /// The PEM files, absolute.
  func certificateFiles(root: String) -> CertificateFiles {
    CertificateFiles(
      ca: ca?.absolute(in: root), certificate: certificate?.absolute(in: root), key: key?.absolute(in: root))
  }

  /// Reports the PEM files that cannot be read or used, and a key that everybody can read.
  func checkFiles(
    root: String, _ judge: @Sendable (CertificateFiles) -> [CertificateFiles.Problem], log: IssueLog
  ) {
    let named: [(CertificateFiles.Role, NamedFile?)] = [(.ca, ca), (.certificate, certificate), (.key, key)]
    var unread = 0
    for case (let role, let file?) in named {
      let path = file.absolute(in: root)
      do {
        let content = try readFile(path, limit: Self.maximumSize)
        if role == .key, content.metadata.mode & 0o007 != 0 {
          log.warning(
            "secret-readable", "everybody on this machine can read \(path)", at: file.range,
            suggestion: "chmod o= \(path)")
        }
      } catch {
        unread += 1
        log.error(
          "file-unreadable", "\(subject(role)) is missing: \(path) \(error.clause)", at: file.range,
          suggestion: "check the path, and that this user may read the file")
      }
    }
    guard unread == 0, named.contains(where: { $0.1 != nil }) else { return }
    for problem in judge(certificateFiles(root: root)) {
      guard let file = named.first(where: { $0.0 == problem.role })?.1 else { continue }
      log.error(
        "certificate-unusable", "\(subject(problem.role)) cannot be used: \(problem.reason)",
        at: file.range, suggestion: problem.advice)
    }
  }

  private func subject(_ role: CertificateFiles.Role) -> String {
    let noun =
      switch role {
      case .ca: "CA"
      case .certificate: "certificate"
      case .key: "key"
      }
    return "the \(noun) of the target \"\(name)\""
  }
}
