import Addresses
import CCurl

/// An `http:` or `https:` URL, in its parts.
struct HTTPURL: Hashable, Sendable {
  enum Mistake: Error {
    case malformed
    case otherScheme(String)
    case holdsCredentials
    case badHost(String)
  }

  /// Who answers: what is secret is sent to one origin alone (RFC 6454).
  struct WebOrigin: Hashable, Sendable {
    let scheme: String
    let host: String
    let port: UInt16
  }

  let text: String
  let origin: WebOrigin

  var usesTLS: Bool { origin.scheme == "https" }
  /// Host and port, as messages name the server.
  var server: String { "\(origin.host.contains(":") ? "[\(origin.host)]" : origin.host):\(origin.port)" }

  /// Reads a URL.
  ///
  /// - Parameter dropsCredentials: true leaves user name and password of the URL out; otherwise it is a mistake to have some.
  init(_ text: String, dropsCredentials: Bool = false) throws(Mistake) {
    guard let url = CurlURL(text) else { throw .malformed }
    try self.init(url, dropsCredentials: dropsCredentials)
  }

  /// The URL that a `Location` leads to from this one (RFC 3986, section 5). User name and password in it are left out.
  func following(_ location: String) throws(Mistake) -> HTTPURL {
    guard let url = CurlURL(text), url.set(CURLUPART_URL, location) else { throw .malformed }
    return try HTTPURL(url, dropsCredentials: true)
  }

  /// The same URL at another host.
  func at(host: String) -> String? {
    guard let url = CurlURL(text), url.set(CURLUPART_HOST, host) else { return nil }
    return url.part(CURLUPART_URL)
  }

  private init(_ url: CurlURL, dropsCredentials: Bool) throws(Mistake) {
    guard let scheme = url.part(CURLUPART_SCHEME)?.lowercased() else { throw .malformed }
    guard scheme == "http" || scheme == "https" else { throw .otherScheme(scheme) }
    if url.part(CURLUPART_USER) != nil || url.part(CURLUPART_PASSWORD) != nil {
      guard dropsCredentials else { throw .holdsCredentials }
      url.set(CURLUPART_USER, nil)
      url.set(CURLUPART_PASSWORD, nil)
    }
    url.set(CURLUPART_FRAGMENT, nil)
    guard var host = url.part(CURLUPART_HOST), !host.isEmpty else { throw .malformed }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if IPAddress(host) == nil {
      guard let ascii = asciiHostName(host) else { throw .badHost(host) }
      host = ascii
      url.set(CURLUPART_HOST, ascii)
    }
    guard isHost(host) else { throw .badHost(host) }
    guard let port = url.part(CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap({ UInt16($0) }), port > 0,
      let text = url.part(CURLUPART_URL)
    else { throw .malformed }
    self.text = text
    origin = WebOrigin(scheme: scheme, host: host, port: port)
  }
}

/// Owns one `CURLU *`.
private final class CurlURL {
  private let raw: OpaquePointer

  /// Nil if libcurl does not take the text for a URL; without a scheme it is none.
  init?(_ text: String) {
    guard let raw = runbook_curl_url() else { return nil }
    self.raw = raw
    guard set(CURLUPART_URL, text) else { return nil }
  }

  deinit { runbook_curl_free_url(raw) }

  @discardableResult
  func set(_ part: CURLUPart, _ text: String?) -> Bool { runbook_curl_set_part(raw, part, text) == CURLUE_OK }

  func part(_ part: CURLUPart, flags: UInt32 = 0) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65_536) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let length = runbook_curl_part(raw, part, flags, start, buffer.count)
      return length < 0 ? nil : String(cString: start)
    }
  }
}
