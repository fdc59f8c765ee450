import Glibc
package import HTTP
package import Schema
import Synchronization

/// An engine that speaks Docker's Engine API over HTTP.
///
/// Requests name no version of the API: every engine answers them in the newest that it knows, and what is read here is in all of them. A
/// version of our own would be refused by engines that are older, and by those that have dropped it.
package struct DockerEngine: Sendable {
  /// What the engine answered with a status below 400.
  package struct Answer: Sendable {
    package let status: Int
    /// Empty if an observer took it.
    package let body: [UInt8]
    /// The engine's clock, to the second; nil if it does not tell.
    package let time: Timestamp?
  }

  package let endpoint: DockerEndpoint
  /// A socket of this host that leads to the engine of another.
  private let tunnel: (socket: String, keeper: any Sendable)?

  package init(_ endpoint: DockerEndpoint) {
    self.endpoint = endpoint
    tunnel = nil
  }

  /// An engine behind ssh.
  ///
  /// - Parameters:
  ///   - socket: a socket of this host that leads to it.
  ///   - keeper: what keeps that open, held as long as the engine is.
  package init(_ endpoint: DockerEndpoint, through socket: String, keptBy keeper: any Sendable) {
    self.endpoint = endpoint
    tunnel = (socket, keeper)
  }

  /// Asks for a document.
  ///
  /// - Parameters:
  ///   - path: such as `/containers/json`, without a version.
  ///   - query: names and values, not yet encoded.
  package func document(
    _ path: String, query: [(String, String)] = [], by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> (json: JSON, time: Timestamp?) {
    let answer = try await answer("GET", path, query: query, by: deadline)
    do throws(JSONError) { return (try JSON(parsing: answer.body), answer.time) } catch {
      throw notAnEngine("\(path) is answered with what is no JSON")
    }
  }

  /// Sends one request.
  ///
  /// - Parameters:
  ///   - body: sent as JSON.
  ///   - observer: gets the body of the answer as it comes, also that of one that says no.
  /// - Throws: `refused` for a status from 400 on, with the engine's own words.
  package func answer(
    _ method: String, _ path: String, query: [(String, String)] = [], body: JSON? = nil,
    by deadline: ContinuousClock.Instant, observer: HTTPRequest.BodyObserver? = nil
  ) async throws(DockerError) -> Answer {
    var request = HTTPRequest(origin + path + Self.text(of: query))
    request.method = method
    request.headers = [HTTPHeader("Accept", "application/json")]
    if let body {
      request.headers.append(HTTPHeader("Content-Type", "application/json"))
      request.body = body.utf8()
    } else if method == "POST" {
      request.body = []
    }
    request.offersHTTP2 = false
    request.limits.body = observer == nil ? 64 << 20 : .max
    switch endpoint.place {
    case .unix(let path): request.unixSocket = path
    case .tcp(_, let folder?):
      request.tls.authorityFile = "\(folder)/ca.pem"
      request.tls.clientCertificate = ("\(folder)/cert.pem", "\(folder)/key.pem")
    case .tcp(_, nil): break
    case .ssh:
      guard let tunnel else {
        throw DockerError(
          .tunnelFailed, "no connection to \(endpoint.name) was made",
          advice: "This is a mistake of runbook: report it.")
      }
      request.unixSocket = tunnel.socket
    }
    // An answer that says no is told by its status, which comes behind the observer's calls.
    let start = StartOfBody()
    var both = observer
    if let observer {
      both = { bytes in
        start.add(bytes)
        observer(bytes)
      }
    }
    let response: HTTPResponse
    do throws(HTTPError) { response = try await request.response(by: deadline, observer: both) } catch {
      throw DockerError(error, at: endpoint)
    }
    guard response.status < 400 else {
      throw refusal(response, body: observer == nil ? response.body : start.bytes)
    }
    return Answer(
      status: response.status, body: response.body,
      time: response.values(of: "Date").first.flatMap { Timestamp(httpDate: $0) })
  }

  private var origin: String {
    switch endpoint.place {
    case .unix, .ssh: "http://docker"
    case .tcp(let server, let certificates): (certificates == nil ? "http://" : "https://") + server
    }
  }

  private static func text(of query: [(String, String)]) -> String {
    guard !query.isEmpty else { return "" }
    return "?" + query.map { "\($0.percentEncoded)=\($1.percentEncoded)" }.joined(separator: "&")
  }

  private func refusal(_ response: HTTPResponse, body: [UInt8]) -> DockerError {
    let words = (try? JSON(parsing: body))?["message"]?.string
    // An engine says of itself which version of the API it speaks; a proxy or another server does not.
    guard words != nil || !response.values(of: "Api-Version").isEmpty else {
      return notAnEngine("it answers \(response.status)")
    }
    return DockerError(
      .refused, "the engine refuses: \(words ?? "it answers \(response.status)")",
      advice: "Look at the engine's log: journalctl -u docker.", status: response.status, engineWords: words ?? "")
  }

  func notAnEngine(_ reason: Sentence) -> DockerError {
    DockerError(
      .notAnEngine, "what listens at \(endpoint.name) is no Docker engine: \(reason)",
      advice: "Look which service listens there, and at DOCKER_HOST or `engine`.")
  }
}

/// The first bytes of a body that an observer takes.
private final class StartOfBody: Sendable {
  private static let limit = 4096
  private let kept = Mutex<[UInt8]>([])

  var bytes: [UInt8] { kept.withLock(\.self) }

  func add(_ bytes: [UInt8]) {
    kept.withLock { if $0.count < Self.limit { $0 += bytes.prefix(Self.limit - $0.count) } }
  }
}

extension DockerError {
  init(_ error: HTTPError, at endpoint: DockerEndpoint) {
    let name = endpoint.name
    switch (error.code, error.socketError) {
    case (_, EACCES?), (_, EPERM?):
      self.init(
        .noPermission, "this user may not use the Docker engine at \(name)",
        advice: """
          Run it as root, or add the user to the group of the socket (mostly `docker`) and log in anew. Who may use the engine can do \
          all that root can.
          """)
    case (_, ENAMETOOLONG?):
      self.init(
        .endpointInvalid, "the path of the socket in \(name) is too long for a socket",
        advice: "It may have 107 bytes: give a shorter one, or a link to it.")
    case (_, ENOENT?), (_, ENOTDIR?):
      self.init(
        .noEngine, "there is no Docker engine at \(name): the socket is not there",
        advice: "Start it (`systemctl start docker`). If it listens elsewhere, say so with DOCKER_HOST or `engine`.")
    case (.timedOut, nil), (_, EAGAIN?):
      self.init(
        .engineSilent, "the Docker engine at \(name) did not answer in time",
        advice: """
          It hangs, or it is overloaded: look at its log (journalctl -u docker) and at the disk of /var/lib/docker. Its containers may \
          run on all the same: ask the service itself.
          """)
    case (_, _?), (.connectionRefused, nil):
      self.init(
        .noEngine, "there is no Docker engine at \(name): nobody listens there",
        advice: "Start it (`systemctl start docker`), and look at its log: journalctl -u docker.")
    case (.connectionTimedOut, nil), (.unreachable, nil), (.nameNotFound, nil), (.nameUnanswered, nil):
      self.init(.engineUnreachable, "\(error.message.withoutFullStop)", advice: error.advice)
    case (.tlsFailed, nil), (.certificateUntrusted, nil):
      self.init(
        .engineUntrusted, "\(error.message.withoutFullStop)",
        advice: "Look at ca.pem, cert.pem and key.pem in the folder of the certificates.")
    case (.noResponse, nil):
      self.init(
        .notAnEngine, "what listens at \(name) gives no HTTP response",
        advice: "Look which service listens there. An engine with TLS needs DOCKER_TLS_VERIFY or `certificates`.")
    case (.cancelled, nil):
      self.init(.interrupted, "the Docker engine at \(name) was not waited for", advice: "")
    case (.invalidRequest, nil):
      self.init(.unavailable, "\(error.message.withoutFullStop)", advice: error.advice)
    case (.unavailable, nil), (.proxyFailed, nil):
      self.init(.unavailable, "\(error.message.withoutFullStop)", advice: error.advice)
    default:
      self.init(
        .connectionLost, "the Docker engine at \(name) broke off: \(error.message.withoutFullStop)",
        advice: "Look whether it was restarted, and at its log: journalctl -u docker.")
    }
  }
}

extension Timestamp {
  /// Reads `Sat, 28 Nov 2026 23:03:08 GMT` (RFC 9110, section 5.6.7); nil for anything else.
  init?(httpDate text: String) {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else { return nil }
    self.init("\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])T\(parts[4])Z")
  }
}
