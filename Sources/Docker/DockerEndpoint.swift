import Schema

/// Where an engine is, as `DOCKER_HOST` names it.
package struct DockerEndpoint: Hashable, Sendable {
  package enum Place: Hashable, Sendable {
    /// The path of a socket.
    case unix(String)
    /// Host and port; with the folder of `ca.pem`, `cert.pem` and `key.pem`, over TLS.
    case tcp(server: String, certificates: String?)
    case ssh(SSHDestination)
  }

  /// A host on which an engine is reached through ssh(1).
  package struct SSHDestination: Hashable, Sendable {
    package let user: String?
    package let host: String
    package let port: Int?
    /// The engine's socket on that host.
    package let socket: String
  }

  /// Where Docker listens if nothing else is said.
  package static let standard = DockerEndpoint(place: .unix("/var/run/docker.sock"))

  package let place: Place

  /// As findings and outputs name it.
  package var name: String {
    switch place {
    case .unix(let path): "unix://\(path)"
    case .tcp(let server, _): "tcp://\(server)"
    case .ssh(let to):
      "ssh://" + (to.user.map { "\($0)@" } ?? "") + to.host + (to.port.map { ":\($0)" } ?? "")
        + (to.socket == Self.socket ? "" : to.socket)
    }
  }

  /// What tells docker(1) and Compose of the same engine.
  package var environment: [String: String] {
    guard case .tcp(let server, let certificates?) = place else { return ["DOCKER_HOST": name] }
    return ["DOCKER_HOST": "tcp://\(server)", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certificates]
  }

  private static let socket = "/var/run/docker.sock"

  private init(place: Place) { self.place = place }

  /// Reads `unix:///path`, `tcp://host:port`, or `ssh://user@host:port/path`.
  ///
  /// - Parameter certificates: the folder of `ca.pem`, `cert.pem` and `key.pem` with which `tcp` goes over TLS. The engine's certificate is
  ///   always verified.
  /// - Throws: `endpointInvalid`.
  package init(_ text: String, certificates: String? = nil) throws(DockerError) {
    guard let colon = text.firstRange(of: "://") else {
      throw Self.invalid(text, "it has no scheme")
    }
    let rest = text[colon.upperBound...]
    switch text[..<colon.lowerBound] {
    case "unix":
      guard rest.hasPrefix("/") else { throw Self.invalid(text, "the path of the socket must begin with a slash") }
      self.init(place: .unix(String(rest)))
    case "tcp", "http", "https":
      let server = rest.hasSuffix("/") ? rest.dropLast() : rest
      guard !server.isEmpty, !server.contains(where: { "/@?# ".contains($0) }) else {
        throw Self.invalid(text, "behind the scheme stand host and port alone")
      }
      guard !text.hasPrefix("https") || certificates != nil else {
        throw Self.invalid(text, "https needs the folder of the certificates")
      }
      let hasPort = server.last?.isNumber == true && server.contains(":") && !server.hasSuffix("]")
      let port = certificates == nil ? 2375 : 2376
      self.init(
        place: .tcp(server: hasPort ? String(server) : "\(server):\(port)", certificates: certificates))
    case "ssh": self.init(place: .ssh(try Self.destination(rest, of: text)))
    default: throw Self.invalid(text, "its scheme is not supported")
    }
  }

  private static func destination(_ text: Substring, of whole: String) throws(DockerError) -> SSHDestination {
    let slash = text.firstIndex(of: "/") ?? text.endIndex
    let path = text[slash...]
    var server = text[..<slash]
    var user: String?
    if let at = server.lastIndex(of: "@") {
      user = String(server[..<at])
      server = server[server.index(after: at)...]
    }
    var port: Int?
    if let colon = server.lastIndex(of: ":"), !server.hasSuffix("]") {
      guard let number = UInt16(server[server.index(after: colon)...]), number > 0 else {
        throw invalid(whole, "its port is none")
      }
      port = Int(number)
      server = server[..<colon]
    }
    // ssh would take a name with a hyphen in front for an option.
    guard !server.isEmpty, !server.hasPrefix("-"), user?.isEmpty != true, user?.hasPrefix("-") != true,
      user?.contains(":") != true
    else { throw invalid(whole, "it names no host, or a password") }
    return SSHDestination(
      user: user, host: String(server), port: port, socket: path.count > 1 ? String(path) : socket)
  }

  private static func invalid(_ text: String, _ reason: Sentence) -> DockerError {
    DockerError(
      .endpointInvalid, "\(text) names no Docker engine: \(reason)",
      advice: "Write unix:///var/run/docker.sock, tcp://HOST:2376, or ssh://USER@HOST.")
  }

  /// What the environment names, as it does for docker(1): `DOCKER_HOST`; without it the context that `DOCKER_CONTEXT` names, or that
  /// `docker context use` has chosen. Contexts, and the certificates for `DOCKER_TLS_VERIFY`, lie in the folder that `DOCKER_CONFIG` names.
  /// Reads files.
  ///
  /// - Parameter variable: gives the value of an environment variable.
  /// - Throws: `endpointInvalid`.
  package static func ofEnvironment(_ variable: (String) -> String?) throws(DockerError) -> DockerEndpoint {
    func value(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }
    let named = value("DOCKER_CONFIG")
    let folder = named ?? value("HOME").map { "\($0)/.docker" }
    if let host = value("DOCKER_HOST") {
      let certificates = value("DOCKER_CERT_PATH") ?? folder
      let isEncrypted = value("DOCKER_TLS_VERIFY") != nil || value("DOCKER_CERT_PATH") != nil
      return try DockerEndpoint(host, certificates: isEncrypted ? certificates : nil)
    }
    let configuration = folder.map { ClientConfiguration(folder: $0, isNamed: named != nil) }
    var chosen = value("DOCKER_CONTEXT")
    if chosen == nil { chosen = try configuration?.currentContext() }
    guard let context = chosen, context != "default" else { return .standard }
    guard let configuration else {
      throw DockerError(
        .endpointInvalid, "docker has no context \(context): neither DOCKER_CONFIG nor HOME names a folder",
        advice: "Set one of them, or DOCKER_HOST.")
    }
    return try configuration.endpoint(ofContext: context)
  }
}
