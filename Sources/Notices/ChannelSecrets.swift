import FoundationEssentials
package import Schema

extension Channel {
  /// Every secret of it, in each form in which it is sent: none may stand in what is recorded.
  package var secrets: [Secret] {
    switch kind {
    case .email(let email): [email.password].compactMap(\.self)
    case .slack(.webhook(let url)): url.withParts
    case .slack(.token(let token, _, _)): [token]
    case .webhook(let webhook):
      (webhook.isURLSecret ? webhook.url.withParts : []) + [webhook.token].compactMap(\.self)
    case .alertmanager(let alertmanager):
      [
        alertmanager.token, alertmanager.password,
        alertmanager.password.map { .basicCredentials(alertmanager.username ?? "", $0) },
      ].compactMap(\.self)
    case .twilio(let twilio): [twilio.token, .basicCredentials(twilio.account, twilio.token)]
    case .command, .file: []
    }
  }
}

extension Secret {
  /// What Basic authentication sends (RFC 7617).
  package static func basicCredentials(_ username: String, _ password: Secret) -> Secret {
    Secret(Data("\(username):\(password.revealText())".utf8).base64EncodedString())
  }

  /// A URL that is secret, without its scheme and without its host as well, its path, and those parts of its path and query that are long
  /// enough to be what is secret of it: servers repeat them alone.
  package var withParts: [Secret] {
    let text = revealText()
    let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
    guard let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return [self] }
    let request = rest[slash...]
    let path = request.prefix { $0 != "?" && $0 != "#" }
    let wholes: [Substring] = [rest, request, path].filter { $0.count >= 6 }
    let parts: [Substring] = request.split { "/?&=#".contains($0) }.filter { $0.count >= 16 }
    return [self] + (wholes + parts).map { Secret(String($0)) }
  }
}
