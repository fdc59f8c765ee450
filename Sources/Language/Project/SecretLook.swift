package import Schema

/// Whether a secret that a project names is where it comes from. It never holds the secret itself.
package struct SecretLook: Hashable, Sendable {
  /// What it is for, as a sentence names it: `the secret "token"`.
  package let subject: String
  /// Where it comes from, as a sentence names it: `TOKEN of the environment`, `TOKEN of .env`, `secrets/token`.
  package let origin: String
  /// Where the project says so.
  package let range: SourceRange
  /// False if it is optional and simply not there.
  package let isExpected: Bool
  /// Why it cannot be used, or is not safe; empty for one that is there.
  package let problems: [Issue]
}

extension Project {
  /// The names of the targets, in the order in which they are declared.
  package var targetNames: [String] { targets.map(\.name) }

  /// A look at each of the secrets of a target, by its name.
  package func secrets(ofTarget name: String) -> [SecretLook] {
    let sources = targets.filter { $0.name == name }.flatMap { [$0.credential, $0.secret] }
    return sources.compactMap(\.self).map { look(for: $0, isOptional: false) }
  }

  func look(for source: SecretSource, isOptional: Bool) -> SecretLook {
    let isExpected = !(isOptional && isAbsent(source))
    let log = IssueLog()
    if isExpected { _ = source.secret(environment, root: root, log: log) }
    let place = source.environmentName.flatMap { environmentPlaces[$0] }
    let origin = place.map { "\(source.environmentName ?? "") of \($0.file)" } ?? source.origin
    return SecretLook(
      subject: source.subject, origin: origin, range: source.range, isExpected: isExpected,
      problems: log.sorted)
  }
}
