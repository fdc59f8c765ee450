import FoundationEssentials
import HTTP
package import Journal
package import Names
package import Schema
package import Steps

/// Asks an HTTP server for something, and changes nothing there.
package struct HTTPRequestModule: StepModule {
  /// The methods that only read (RFC 9110, section 9.2.1).
  package enum HTTPMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case options = "OPTIONS"
  }

  package struct Input: Sendable {
    package var url: String
    package var method: HTTPMethod
    package var headers: [String: String]
    package var secretHeaders: [String: Secret]
    package var username: String?
    package var password: Secret?
    package var statuses: [Int]
    package var json: Bool
    package var redirects: Int
    package var unixSocket: String?
    package var family: AddressPreference
    package var ca: String?
    package var serverName: String?
    package var verify: Bool
    package var http2: Bool
    package var environmentProxy: Bool
    package var headLimit: Int
    package var bodyLimit: Int
  }

  package static let declaration = ModuleDeclaration(
    "http.request", "Asks an HTTP server, and looks at what it answers.",
    discussion: """
      A status other than 2xx, or than those of `statuses`, fails the step, as does a server that is silent, refuses, or gives no
      HTTP response. With `json: true` a body that is no JSON fails it too. Fields of JSON are read by path:
      `output.?json.?status.orValue('') == 'healthy'`; for one that is missing, the value behind `orValue` counts.

      Redirects are not followed unless `redirects` says how many; each is shown in `hops`. What is secret (`secretHeaders`,
      `password`, and the header fields Authorization and Cookie) is sent to the URL's own scheme, host and port alone.

      The phases `nameLookup`, `connect`, `tls`, `firstByte` and `transfer` are disjoint; one that did not happen is absent. The
      addresses of a host are tried in turn, the next one when one fails or after 250ms; `hops` tells what each did.

      No compression is asked for unless `headers` hold Accept-Encoding: of a coded body (gzip, br, zstd) that is cut off nobody
      can tell here that its end is missing. A server that codes the body unasked is warned of (`http.bodyEndUnverified`).

      Only methods that read are sent. A service that is to be changed by a request is called with `command.run`.
      """,
    effect: .observe, judges: true, files: ["ca"], deadline: .seconds(30),
    input: Record(
      Input.init,
      Field("url", \.url, .url, "What to ask for, with http or https."),
      Field("method", \.method, .enumeration(HTTPMethod.self), default: .get, "How to ask."),
      Field("headers", \.headers, .map(.string), default: [:], "Header fields to send."),
      Field("secretHeaders", \.secretHeaders, .map(.secret), default: [:], "Header fields that hold secrets."),
      Field("username", \.username, .optional(.string), "User name for Basic authentication."),
      Field("password", \.password, .optional(.secret), "Password for Basic authentication."),
      Field(
        "statuses", \.statuses, .list(.int), default: [], "The right statuses; if none is given, all 2xx."),
      Field("json", \.json, .bool, default: false, "Whether the body must be JSON."),
      Field("redirects", \.redirects, .int.within(0...20), default: 0, "How many redirects are followed."),
      Field(
        "unixSocket", \.unixSocket, .optional(.path), "A unix socket to connect to in place of the URL's host."),
      Field(
        "family", \.family, .enumeration(AddressPreference.self), default: .any,
        "Which of the host's addresses are tried."),
      Field("ca", \.ca, .optional(.path), "Certificate authorities, PEM; the system's, if not given."),
      Field(
        "serverName", \.serverName, .optional(.host),
        "The name to ask for and to verify with TLS; the URL's host, if not given."),
      Field(
        "verify", \.verify, .bool, default: true, "Whether the certificate must be trusted, and for the server's name."),
      Field("http2", \.http2, .bool, default: true, "Whether HTTP/2 is offered with TLS."),
      Field(
        "environmentProxy", \.environmentProxy, .bool, default: false,
        "Whether http_proxy, https_proxy, all_proxy and no_proxy of the environment count."),
      Field(
        "headLimit", \.headLimit, .byteSize.within(1024...1 << 20), default: 64 << 10,
        "The size of all header fields above which the step fails."),
      Field(
        "bodyLimit", \.bodyLimit, .byteSize.within(0...64 << 20), default: 1 << 20,
        "The size of the decoded body above which the step fails.")
    ),
    output: HTTPAnswer.record,
    examples: [
      .init(
        "The service calls itself healthy", with: "url: http://localhost:8000/api/webrtc/coturn/health\njson: true",
        expect: ["output.?json.?status.orValue('') == 'healthy'", "output.elapsed < duration('500ms')"]),
      .init(
        "Docker answers", with: "url: http://docker/_ping\nunixSocket: /var/run/docker.sock",
        expect: ["output.body == 'OK'"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    request(input).objection().map { Finding($0) }
  }

  /// Ends early enough to say what was missing.
  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<HTTPAnswer> {
    let deadline = context.deadline - min(.milliseconds(500), context.remaining / 10)
    let answer: HTTPAnswer
    do throws(HTTPError) { answer = HTTPAnswer(try await Self.request(input).response(by: deadline)) } catch {
      throw StepError(error)
    }
    guard let finding = answer.objection(statuses: input.statuses, demandsJSON: input.json) else {
      return answer.unverifiedEnd(of: Self.request(input)).map { .warned(answer, $0) } ?? .done(answer)
    }
    return .failed(answer, finding)
  }

  private static func request(_ input: Input) -> HTTPRequest {
    var request = HTTPRequest(input.url)
    request.method = input.method.rawValue
    request.headers = input.headers.sorted { $0.key < $1.key }.map { HTTPHeader($0.key, $0.value) }
    request.credentials = input.secretHeaders.sorted { $0.key < $1.key }.map {
      HTTPHeader($0.key, $0.value.revealText())
    }
    if input.username != nil || input.password != nil {
      let pair = Data("\(input.username ?? ""):\(input.password?.revealText() ?? "")".utf8)
      request.credentials.append(HTTPHeader("Authorization", "Basic \(pair.base64EncodedString())"))
    }
    request.unixSocket = input.unixSocket
    request.addresses = input.family
    request.redirects = input.redirects
    request.tls.authorityFile = input.ca
    request.tls.serverName = input.serverName
    request.tls.verifiesCertificate = input.verify
    request.offersHTTP2 = input.http2
    request.takesProxyFromEnvironment = input.environmentProxy
    request.limits.head = input.headLimit
    request.limits.body = input.bodyLimit
    return request
  }
}
