/// Items 1 to 6: who is let in.
extension AuditNotes {
  mutating func auditAuthentication() {
    let authentication = configuration.authentication
    switch authentication {
    case .none(let asked?):
      guard configuration.relays else { break }
      add(
        .authenticationOff, 2, .critical, asked.number,
        "no-auth lets everybody relay: an open relay hides attackers behind this server's address.",
        instead: configuration.asksWithoutSwitch ? "" : nil)
    case .none(nil):
      guard configuration.relays else { break }
      add(
        .anonymousRelay, 1, .critical, nil,
        "Nothing asks clients for a credential (neither use-auth-secret nor lt-cred-mech nor a user that can be read), so everybody relays. That is coturn's default. A shared secret in a file of this server is the simplest way: use-auth-secret and static-auth-secret.",
        instead: nil)
    case .users, .sharedSecret: auditRealm()
    }
    auditUsers(authentication)
    auditSecrets()
  }

  private mutating func auditRealm() {
    guard configuration.value("realm") == nil else { return }
    add(
      .realmMissing, 6, .medium, configuration.last("realm")?.number,
      "No realm is set: coturn takes the host's domain, or an empty realm. Credentials depend on it, and break when the host is renamed. Set realm to the service's domain."
    )
  }

  private mutating func auditUsers(_ authentication: TurnConfiguration.Authentication) {
    let lines = configuration.all("user")
    guard let first = lines.first else { return auditMechanisms() }
    let secret = configuration.sharedSecretLine
    if let secret {
      add(
        .usersIgnored, 3, .low, secret.number,
        "\(secret.name) turns off users with passwords: the \(lines.count == 1 ? "user" : "\(lines.count) users") of this file cannot log in."
      )
    }
    for line in lines where ![.plainPassword, .userInvalid, .weakSecret].allSatisfy({ isFull(of: $0) }) {
      guard let user = UserLine(line) else {
        add(
          .userInvalid, .word("user"), .high, line.number,
          "The line is no NAME:PASSWORD, nor NAME:0x and 32 hexadecimal digits: coturn logs an error and goes on without this user."
        )
        continue
      }
      if let secret {
        add(
          .usersIgnored, 3, .medium, line.number,
          "User \(user.name) is ignored, since \(secret.name) (line \(secret.number)) is set: coturn takes a shared secret or users, not both.",
          instead: "")
      }
      if !user.isKey {
        add(
          .plainPassword, 5, .medium, line.number,
          "The password of user \(user.name) stands in plain text. Write its key in its place: turnadmin -k -u \(user.name) -r REALM -p PASSWORD prints it."
        )
        auditWeakness(of: user.password, atLeast: 8, "The password of user \(user.name)", line.number)
      } else if SecretStrength.isSampleKey(user.password) {
        add(
          .weakSecret, 4, .critical, line.number,
          "The key of user \(user.name) is the one of coturn's sample file: everybody knows it.")
      }
    }
    if secret == nil, !configuration.isOn("lt-cred-mech"), authentication == .users {
      add(
        .mechanismImplied, .word("lt-cred-mech"), .info, first.number,
        "lt-cred-mech is not set. coturn turns it on because of user=, with an alert at each start; add a line lt-cred-mech."
      )
    }
    auditMechanisms()
  }

  private mutating func auditMechanisms() {
    guard let secret = configuration.sharedSecretLine, let line = configuration.line(turningOn: "lt-cred-mech") else {
      return
    }
    add(
      .mechanismImplied, .word("lt-cred-mech"), .info, line.number,
      "lt-cred-mech and \(secret.name) are both set: the shared secret alone counts, and coturn warns at each start.",
      instead: "")
  }

  private mutating func auditSecrets() {
    for line in configuration.all("static-auth-secret") where hasRoom(for: .weakSecret) {
      auditWeakness(of: line.value, atLeast: 16, "The shared secret", line.number)
    }
    if configuration.hasCommandLineInterface, let line = configuration.last("cli-password"),
      !line.value.hasPrefix("$5$")
    {
      auditWeakness(of: line.value, atLeast: 8, "The password of the CLI", line.number)
    } else if let line = configuration.last("cli-password"), line.value == Self.samplePasswordHash {
      add(
        .weakSecret, 4, .critical, line.number,
        "The CLI's password is the one of coturn's sample file: everybody knows it.")
    }
  }

  private static let samplePasswordHash =
    "$5$79a316b350311570$81df9cfb9af7f5e5a76eada31e7097b663a0670f99a3c07ded3f1c8e59c5658a"

  private mutating func auditWeakness(of secret: String, atLeast length: Int, _ subject: String, _ line: Int) {
    guard !isFull(of: .weakSecret), let weakness = SecretStrength.weakness(of: secret, atLeast: length) else { return }
    let remedy = "Take a random one: openssl rand -hex 32 prints it."
    switch weakness {
    case .wellKnown:
      add(
        .weakSecret, 4, .critical, line,
        "\(subject) is a word that is tried first, or a placeholder of a guide. \(remedy)")
    case .tooShort(let count):
      add(
        .weakSecret, 4, .high, line,
        "\(subject) has \(count) \(count == 1 ? "byte" : "bytes"): whoever sees one message can find it by trying. \(remedy)"
      )
    case .monotonous:
      add(.weakSecret, 4, .high, line, "\(subject) repeats a few characters. \(remedy)")
    }
  }
}
