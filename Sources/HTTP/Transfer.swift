import Addresses
import CCurl
import Connections
import Glibc
import Names
import Schema

/// One request over a connection of its own, carried out on one thread.
struct Transfer: Sendable {
  enum Route: Sendable {
    /// The first of these that answers.
    case addresses([TransportAddress])
    case unix(String)
    /// As libcurl finds it, through a proxy of the environment maybe.
    case libcurl
  }

  struct Ending: Sendable {
    var head = HTTPHead()
    var body: [UInt8] = []
    var phases = HTTPPhases()
    var tries: [ConnectionTry] = []
    var certificateEnd: Timestamp?
    var failure: HTTPError?
  }

  let request: HTTPRequest
  let url: HTTPURL
  let method: String
  let sendsBody: Bool
  /// Whether this hop goes to the origin that the request is for. Credentials, the client certificate and the server name
  /// for TLS are for that one alone.
  let isAtFirstOrigin: Bool
  let route: Route
  let deadline: ContinuousClock.Instant
  let observer: HTTPRequest.BodyObserver?

  /// Connects, sends and receives. It blocks the thread.
  func run(interruption: StopSignal) -> Ending {
    var outcome = Ending()
    let start = ContinuousClock.now
    var socket: Int32 = -1
    if case .addresses(let addresses) = route {
      let attempts = ConnectionAttempts(to: addresses, .first(delay: ConnectionAttempts.recommendedDelay))
      let (end, tries) = attempts.run(by: deadline, interruption: interruption)
      outcome.tries = tries
      guard case .connected(let connected) = end else {
        outcome.failure =
          end == .interrupted ? cancelled : HTTPError(unconnected: url, tries, outOfTime: end == .outOfTime)
        return outcome
      }
      outcome.phases.connect = start.duration(to: .now)
      socket = connected
    }
    carry(over: socket, interruption, into: &outcome)
    return outcome
  }

  private var cancelled: HTTPError { HTTPError(.cancelled, "The request to \(url.server) was stopped.") }

  private func carry(over connected: Int32, _ interruption: StopSignal, into outcome: inout Ending) {
    var socket = connected
    let sink = TransferSink(limits: request.limits, observer: observer) { head in
      self.request.redirects > 0 && [301, 302, 303, 307, 308].contains(head.status)
        && !HTTPHeader.values(of: "Location", in: head.headers).isEmpty
    }
    let hasSocket = connected >= 0
    withUnsafeMutablePointer(to: &socket) { socket in
      defer { if socket.pointee >= 0 { close(socket.pointee) } }
      guard let handle = CurlHandle() else {
        outcome.failure = HTTPError(.unavailable, "libcurl cannot begin a request: out of memory.")
        return
      }
      let context = Unmanaged.passUnretained(sink).toOpaque()
      withExtendedLifetime(sink) {
        configure(handle)
        handle.receive(into: context)
        if hasSocket { runbook_curl_set_socket(handle.raw, socket) }
        var end = End.refused
        if !handle.isRefused {
          withBody(of: handle) { end = perform(handle, interruption) }
        }
        outcome.head = sink.head
        outcome.body = sink.body
        note(handle, hasSocket: hasSocket, end: end, into: &outcome)
        outcome.failure = failure(end, handle, sink, outcome)
      }
    }
  }

  /// How a transfer ended.
  private enum End: Equatable {
    case finished(CURLcode)
    case outOfTime
    case interrupted
    /// libcurl did not take an option.
    case refused
  }

  private func perform(_ handle: CurlHandle, _ interruption: StopSignal) -> End {
    guard let session = runbook_curl_begin(handle.raw) else { return .refused }
    defer { runbook_curl_end(session, handle.raw) }
    while true {
      var code = CURLE_OK
      if runbook_curl_work(session, &code) != 0 { return .finished(code) }
      guard ContinuousClock.now < deadline else { return .outOfTime }
      if runbook_curl_wait(session, interruption.descriptor, waitingTime(until: deadline)) != 0 { return .interrupted }
    }
  }

  private func withBody(of handle: CurlHandle, _ body: () -> Void) {
    guard sendsBody, let bytes = request.body else { return body() }
    bytes.withUnsafeBytes { bytes in
      _ = runbook_curl_set_body(handle.raw, bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1), Int64(bytes.count))
      handle.set(CURLOPT_CUSTOMREQUEST, method)
      body()
    }
  }

  private func configure(_ handle: CurlHandle) {
    handle.set(CURLOPT_NOSIGNAL, true)
    handle.set(CURLOPT_PROTOCOLS, Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
    handle.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
    handle.set(CURLOPT_HTTP_VERSION, request.offersHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)
    // libcurl takes a coded body without its end for a whole one, so only the request's own header fields ask for codings.
    // What comes coded all the same is decoded.
    handle.set(CURLOPT_ACCEPT_ENCODING, "identity")
    switch method {
    case "GET": break
    case "HEAD": handle.set(CURLOPT_NOBODY, true)
    default: handle.set(CURLOPT_CUSTOMREQUEST, method)
    }
    configureRoute(handle)
    configureTLS(handle)
    handle.setHeaders(headers)
  }

  private var serverName: String? { isAtFirstOrigin ? request.tls.serverName : nil }

  private func configureRoute(_ handle: CurlHandle) {
    // With another name for TLS that name is the URL's host, and `Host` says whom the request is for.
    handle.set(CURLOPT_URL, serverName.flatMap { url.at(host: $0) } ?? url.text)
    switch route {
    case .libcurl:
      // A search that goes on must not keep us from ending; an older libcurl does not know the option.
      handle.setIfKnown(CURLOPT_QUICK_EXIT, true)
      handle.set(CURLOPT_IPRESOLVE, [.any: 0, .v4: 1, .v6: 2][request.addresses] ?? 0)
    case .unix(let path):
      handle.set(CURLOPT_PROXY, "")
      handle.set(CURLOPT_UNIX_SOCKET_PATH, path)
    case .addresses:
      handle.set(CURLOPT_PROXY, "")
      // The connection is there: this keeps libcurl from looking up the name again. libcurl 7.88 wants to connect the socket once
      // more, which Linux says yes to as long as nobody has asked since the connection came about.
      handle.setConnectTo("::127.0.0.1:\(url.origin.port)")
    }
  }

  private func configureTLS(_ handle: CurlHandle) {
    guard url.usesTLS || route.isLibcurls else { return }
    handle.set(CURLOPT_CERTINFO, true)
    handle.set(CURLOPT_SSL_VERIFYPEER, request.tls.verifiesCertificate)
    handle.set(CURLOPT_SSL_VERIFYHOST, request.tls.verifiesCertificate ? 2 : 0)
    if let file = request.tls.authorityFile {
      handle.set(CURLOPT_CAINFO, file)
      // Debian's libcurl has no folder of authorities set; another's is not to be trusted beside the file.
      handle.set(CURLOPT_CAPATH, nil as String?)
    }
    if isAtFirstOrigin, let (chain, key) = request.tls.clientCertificate {
      handle.set(CURLOPT_SSLCERT, chain)
      handle.set(CURLOPT_SSLKEY, key)
    }
  }

  /// The header fields of this hop. libcurl adds those of its own that a request needs.
  private var headers: [HTTPHeader] {
    var headers = request.headers
    if isAtFirstOrigin {
      headers += request.credentials
    } else {
      headers.removeAll { ["authorization", "cookie", "proxy-authorization"].contains($0.name.lowercased()) }
    }
    func lacks(_ name: String) -> Bool { HTTPHeader.values(of: name, in: headers).isEmpty }
    if lacks("User-Agent") { headers.append(HTTPHeader("User-Agent", "runbook")) }
    if serverName != nil, lacks("Host") { headers.append(HTTPHeader("Host", hostField)) }
    return headers
  }

  private var hostField: String {
    url.origin.port == (url.usesTLS ? 443 : 80)
      ? String(url.server.dropLast(url.usesTLS ? 4 : 3)) : url.server
  }

  /// What libcurl measured.
  private func note(_ handle: CurlHandle, hasSocket: Bool, end: End, into outcome: inout Ending) {
    func time(_ information: CURLINFO) -> Duration? {
      let time = runbook_curl_time(handle.raw, information)
      return time > 0 ? .microseconds(time) : nil
    }
    let seconds = runbook_curl_certificate_end(handle.raw)
    if seconds >= 0 { outcome.certificateEnd = Timestamp(seconds: seconds, nanoseconds: 0) }
    guard let connected = time(CURLINFO_CONNECT_TIME_T) else { return }
    if hasSocket {
      // What libcurl needs to take over the connection belongs to the connection.
      outcome.phases.connect = outcome.phases.connect.map { $0 + connected }
    } else {
      let lookup = route.isLibcurls ? time(CURLINFO_NAMELOOKUP_TIME_T) : nil
      outcome.phases.nameLookup = lookup
      outcome.phases.connect = connected - (lookup ?? .zero)
    }
    let encrypted = time(CURLINFO_APPCONNECT_TIME_T)
    outcome.phases.tls = encrypted.map { $0 - connected }
    guard let first = time(CURLINFO_STARTTRANSFER_TIME_T), outcome.head.status > 0 else { return }
    outcome.phases.firstByte = first - (encrypted ?? connected)
    guard end == .finished(CURLE_OK), let total = time(CURLINFO_TOTAL_TIME_T) else { return }
    outcome.phases.transfer = total - first
  }

  private func failure(_ end: End, _ handle: CurlHandle, _ sink: TransferSink, _ outcome: Ending) -> HTTPError? {
    switch end {
    case .finished(CURLE_OK):
      return outcome.head.status > 0 ? nil : HTTPError(notHTTP: url)
    case .finished(let code):
      if let excess = sink.excess { return HTTPError(excess, url, request.limits) }
      if case .unix(let path) = route, handle.hasNotConnected {
        return HTTPError(socket: path, errorNumber: handle.systemError)
      }
      return HTTPError(code, url, outcome, detail: handle.detail)
    case .outOfTime: return HTTPError(outOfTime: url, outcome)
    case .interrupted: return cancelled
    case .refused:
      return HTTPError(
        .unavailable, "This libcurl (\(String(cString: runbook_curl_version()))) cannot send the request.",
        advice: "Install a newer one.")
    }
  }
}

extension Transfer.Route {
  fileprivate var isLibcurls: Bool { if case .libcurl = self { true } else { false } }
}
