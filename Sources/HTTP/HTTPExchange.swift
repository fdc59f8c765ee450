import Addresses
import CCurl
import Connections
import Names
import Processes
import Schema

extension HTTPRequest {
  /// Takes the decoded body as it comes, on a thread of its own: while it runs, nothing is read.
  package typealias BodyObserver = @Sendable ([UInt8]) -> Void

  /// Sends the request, follows as many redirects as it allows, and returns the last response.
  ///
  /// Every hop has a connection of its own, so that its phases can be compared with those of any other.
  ///
  /// - Parameters:
  ///   - deadline: when it is given up.
  ///   - observer: gets the body of a response that is no followed redirect, within the limit; nothing of it is kept then.
  /// - Throws: also if the task is cancelled; the connection is closed at once then.
  package func response(
    by deadline: ContinuousClock.Instant, observer: BodyObserver? = nil
  ) async throws(HTTPError) -> HTTPResponse {
    let start = ContinuousClock.now
    if let problem = await onBlockingThread({ runbook_curl_load().map { String(cString: $0) } }) {
      throw HTTPError(
        .unavailable, "libcurl cannot be used: \(problem).", advice: "Install it (Debian: libcurl4).")
    }
    var exchange = HTTPExchange(
      request: self, url: try checkedURL(), deadline: deadline, observer: observer)
    do throws(HTTPError) {
      let head = try await exchange.finish()
      return HTTPResponse(
        version: head.version, status: head.status, reason: head.reason, headers: head.headers, body: exchange.body,
        hops: exchange.hops, elapsed: start.duration(to: .now))
    } catch {
      var error = error
      error.hops = exchange.hops
      error.elapsed = start.duration(to: .now)
      throw error
    }
  }

  /// Why the request can never be sent; nil if it can. It looks at nothing but the request.
  package func objection() -> HTTPError? {
    guard runbook_curl_load() == nil else { return nil }
    do throws(HTTPError) { _ = try checkedURL() } catch { return error }
    return nil
  }

  private func checkedURL() throws(HTTPError) -> HTTPURL {
    guard Self.isToken(method) else {
      throw HTTPError(.invalidRequest, "\(method) is no HTTP method.", advice: "Write a word such as GET or POST.")
    }
    for header in headers + credentials {
      guard Self.isToken(header.name), !header.value.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
        throw HTTPError(
          .invalidRequest, "The header field \(header.name) cannot be sent.",
          advice: "Its name must be one word, and its value one line.")
      }
    }
    guard limits.head > 0, limits.body >= 0 else {
      throw HTTPError(.invalidRequest, "A response cannot be smaller than nothing.", advice: "Raise the limits.")
    }
    guard tls.serverName == nil || !takesProxyFromEnvironment || unixSocket != nil else {
      throw HTTPError(
        .invalidRequest,
        "A server name of its own cannot be asked for through a proxy: the proxy would ask the server of that name.",
        advice: "Leave out one of them: the server name, or the proxy of the environment.")
    }
    do throws(HTTPURL.Mistake) { return try HTTPURL(url) } catch { throw HTTPError(error) }
  }

  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "!#$%&'*+-.^_`|~".unicodeScalars.contains($0))
      }
  }
}

extension HTTPError {
  fileprivate init(_ mistake: HTTPURL.Mistake) {
    switch mistake {
    case .malformed:
      self.init(
        .invalidRequest, "This is no URL.",
        advice: "Write scheme, host and path, such as http://localhost:8000/health.")
    case .otherScheme(let scheme):
      self.init(.invalidRequest, "The scheme \(scheme) is not supported.", advice: "Use http or https.")
    case .holdsCredentials:
      self.init(
        .invalidRequest, "The URL holds a user name or a password.",
        advice: "Everybody who sees the URL would know it. Give it as a secret header field.")
    case .badHost(let host):
      self.init(
        .invalidRequest, "\(host) is no host name and no address.",
        advice: "Look at the spelling; an IPv6 address stands in brackets.")
    }
  }
}

/// The hops of one request, one after the other.
private struct HTTPExchange {
  let request: HTTPRequest
  let origin: HTTPURL.WebOrigin
  let deadline: ContinuousClock.Instant
  let observer: HTTPRequest.BodyObserver?
  private var url: HTTPURL
  private var method: String
  private var sendsBody = true
  private(set) var hops: [HTTPHop] = []
  private(set) var body: [UInt8] = []

  init(
    request: HTTPRequest, url: HTTPURL, deadline: ContinuousClock.Instant, observer: HTTPRequest.BodyObserver?
  ) {
    self.request = request
    self.url = url
    origin = url.origin
    self.deadline = deadline
    self.observer = observer
    method = request.method
  }

  /// Goes on until there is a response that is not followed.
  mutating func finish() async throws(HTTPError) -> HTTPHead {
    while true {
      let head = try await hop()
      guard let target = hops[hops.count - 1].redirect, request.redirects > 0 else { return head }
      guard hops.count <= request.redirects else {
        throw HTTPError(
          .tooManyRedirects,
          "\(hops[0].url) led to more than \(request.redirects) redirects, the last of them to \(target).",
          advice: "Look whether they lead in a circle, or allow more.")
      }
      try follow(head.status, to: target)
    }
  }

  /// One request and its response.
  private mutating func hop() async throws(HTTPError) -> HTTPHead {
    let start = ContinuousClock.now
    hops.append(HTTPHop(method: method, url: url.text))
    defer { hops[hops.count - 1].elapsed = start.duration(to: .now) }
    let route = try await route()
    let transfer = Transfer(
      request: request, url: url, method: method, sendsBody: sendsBody, isAtFirstOrigin: url.origin == origin,
      route: route, deadline: deadline, observer: observer)
    let interruption = StopSignal()
    let outcome = await withTaskCancellationHandler {
      await onBlockingThread { transfer.run(interruption: interruption) }
    } onCancel: {
      interruption.announce()
    }
    let last = hops.count - 1
    hops[last].phases.connect = outcome.phases.connect
    hops[last].phases.tls = outcome.phases.tls
    hops[last].phases.firstByte = outcome.phases.firstByte
    hops[last].phases.transfer = outcome.phases.transfer
    if let lookup = outcome.phases.nameLookup { hops[last].phases.nameLookup = lookup }
    hops[last].tries = outcome.tries
    hops[last].certificateEnd = outcome.certificateEnd
    if outcome.head.status > 0 { hops[last].status = outcome.head.status }
    body = outcome.body
    if let failure = outcome.failure { throw failure }
    try noteRedirect(outcome.head)
    return outcome.head
  }

  /// Where to connect to.
  private mutating func route() async throws(HTTPError) -> Transfer.Route {
    if let path = request.unixSocket { return .unix(path) }
    if request.takesProxyFromEnvironment { return .libcurl }
    let start = ContinuousClock.now
    let host = url.origin.host
    do throws(ResolutionError) {
      let found = try await SystemResolver.addresses(of: host, request.addresses, by: deadline)
      if IPAddress(host) == nil { hops[hops.count - 1].phases.nameLookup = start.duration(to: .now) }
      let port = url.origin.port
      return .addresses(ConnectionAttempts.alternating(found).map { TransportAddress(ip: $0, port: port) })
    } catch {
      throw HTTPError(error, of: host)
    }
  }

  /// Keeps where a redirect leads.
  private mutating func noteRedirect(_ head: HTTPHead) throws(HTTPError) {
    guard [301, 302, 303, 307, 308].contains(head.status),
      let location = HTTPHeader.values(of: "Location", in: head.headers).first
    else { return }
    do throws(HTTPURL.Mistake) {
      hops[hops.count - 1].redirect = try url.following(location).text
    } catch {
      // An unfollowed redirect is a response, wherever it leads.
      guard request.redirects > 0 else { return }
      throw HTTPError(
        .redirectRefused, "\(url.server) redirects to \(location), which is no http or https URL.",
        advice: "Look at the server's configuration.")
    }
  }

  /// Turns to the target of a redirect as browsers do (RFC 9110, section 15.4).
  private mutating func follow(_ status: Int, to target: String) throws(HTTPError) {
    let next: HTTPURL
    do throws(HTTPURL.Mistake) { next = try HTTPURL(target, dropsCredentials: true) } catch { throw HTTPError(error) }
    if status == 303 && method != "HEAD" || (status == 301 || status == 302) && method == "POST" {
      method = "GET"
      sendsBody = false
    }
    guard next.origin == origin || request.body == nil || !sendsBody else {
      throw HTTPError(
        .redirectRefused, "\(url.server) redirects a \(method) with its body to another server, \(next.server).",
        advice: "What the body holds is for the first server alone: give the other one's URL if it is the right one.")
    }
    guard request.unixSocket == nil || next.origin == origin else {
      throw HTTPError(
        .redirectRefused, "The server behind the unix socket redirects to another one, \(next.server).",
        advice: "Ask that server itself, without the unix socket.")
    }
    url = next
  }
}

extension HTTPError {
  fileprivate init(_ error: ResolutionError, of host: String) {
    switch error.code {
    case .notFound:
      self.init(
        .nameNotFound, "The name \(host) has no address (\(error.reason)).",
        advice: "Look at the spelling, at the name's A and AAAA records, and at /etc/hosts.")
    case .unanswered:
      self.init(
        .nameUnanswered, "The address of \(host) cannot be resolved (\(error.reason)).",
        advice: "Look at this host's name servers, in /etc/resolv.conf.")
    case .outOfTime:
      self.init(
        .timedOut, "Time ran out before the address of \(host) was found.",
        advice: "Look at this host's name servers, in /etc/resolv.conf.")
    case .cancelled: self.init(.cancelled, "The request to \(host) was stopped.")
    }
  }
}
