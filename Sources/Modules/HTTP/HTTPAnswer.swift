import HTTP
import Journal
package import Schema
import Steps

/// What came back for a request, as an output of the modules that send one.
package struct HTTPAnswer: Sendable {
  package var status: Int
  package var version: String
  package var headers: [String: String]
  package var contentType: String?
  package var body: String
  package var bodySize: Int
  package var json: Value?
  package var url: String
  package var nameLookup: Duration?
  package var connect: Duration?
  package var tls: Duration?
  package var firstByte: Duration?
  package var transfer: Duration?
  package var elapsed: Duration
  package var certificateEnd: Timestamp?
  package var redirects: Int
  package var hops: [HopRecord]

  static let record = Record(
    HTTPAnswer.init,
    Field("status", \.status, .int, "The status of the last response."),
    Field("version", \.version, .string, "The version of HTTP: 1.0, 1.1 or 2."),
    Field(
      "headers", \.headers, .map(.string),
      "The header fields, by name in lower case; several of one name are joined by a comma and a space."),
    Field(
      "contentType", \.contentType, .optional(.string), "The media type, without its parameters, in lower case."),
    Field("body", \.body, .string, "The body, decoded from gzip, br or zstd, as UTF-8."),
    Field("bodySize", \.bodySize, .byteSize, "The size of the decoded body."),
    Field("json", \.json, .optional(.any), "The body as JSON; absent: it is none."),
    Field("url", \.url, .string, "The URL of the last request, behind all redirects that were followed."),
    Field(
      "nameLookup", \.nameLookup, .optional(.duration),
      "Of the last request: how long the search for the name took; absent: an address, a unix socket."),
    Field("connect", \.connect, .optional(.duration), "Of the last request: how long the connection took."),
    Field("tls", \.tls, .optional(.duration), "Of the last request: how long the TLS handshake took; absent: no TLS."),
    Field("firstByte", \.firstByte, .optional(.duration), "Of the last request: from then to the first byte."),
    Field("transfer", \.transfer, .optional(.duration), "Of the last request: from there to the last byte."),
    Field("elapsed", \.elapsed, .duration, "How long all of it took, redirects included."),
    Field(
      "certificateEnd", \.certificateEnd, .optional(.timestamp),
      "When the server's certificate stops being valid; absent: no TLS."),
    Field("redirects", \.redirects, .int, "How many redirects were followed."),
    Field("hops", \.hops, .list(.record(HopRecord.record)), "Each request, the first one first.")
  )
}

extension HTTPAnswer {
  init(_ response: HTTPResponse) {
    let last = response.hops.last
    let contentType = response.values(of: "Content-Type").first.flatMap { $0.split(separator: ";").first }
    var headers: [String: String] = [:]
    for header in response.headers {
      headers[header.name.lowercased(), default: ""] +=
        (headers[header.name.lowercased()] == nil ? "" : ", ") + header.value
    }
    self.init(
      status: response.status, version: response.version, headers: headers,
      contentType: contentType.map { $0.lowercased().filter { $0 != " " && $0 != "\t" } },
      body: String(decoding: response.body, as: UTF8.self), bodySize: response.body.count,
      json: (try? JSON(parsing: response.body)).map(Value.init), url: last?.url ?? "",
      nameLookup: last?.phases.nameLookup, connect: last?.phases.connect, tls: last?.phases.tls,
      firstByte: last?.phases.firstByte, transfer: last?.phases.transfer, elapsed: response.elapsed,
      certificateEnd: last?.certificateEnd, redirects: max(0, response.hops.count - 1),
      hops: response.hops.map(HopRecord.init))
  }

  /// What to object to; nil for a response that is as it should be.
  ///
  /// - Parameters:
  ///   - statuses: those that are right; empty: every 2xx.
  ///   - demandsJSON: whether the body must be JSON.
  func objection(statuses: [Int], demandsJSON: Bool) -> Finding? {
    guard statuses.isEmpty ? (200...299).contains(status) : statuses.contains(status) else {
      let wanted = statuses.isEmpty ? "2xx" : statuses.map(String.init).joined(separator: ", ")
      if let target = hops.last?.redirect {
        return Finding(
          "http.statusUnexpected", "\(url) answered \(status) instead of \(wanted): it redirects to \(target)",
          advice: "Give that URL if it is the right one, or let `redirects` be followed.")
      }
      return Finding(
        "http.statusUnexpected", "\(url) answered \(status) instead of \(wanted)",
        advice: status >= 500 ? "Look at the server's log." : "Look at the URL, and at what the server asks for.")
    }
    guard !demandsJSON || json != nil else {
      if let number = numberOutOfRange {
        return Finding(
          "http.numberOutOfRange", "\(url) answered \(status) with JSON that holds a number out of range: \(number)",
          advice: "Numbers go as far as doubles do, to 1.8e308. Ask the service for a number that its readers can hold."
        )
      }
      return Finding(
        "http.bodyNotJSON", "\(url) answered \(status) with a body that is no JSON",
        advice: "Look at the body, in the step's output: a proxy or a login page may answer in the service's place.")
    }
    return nil
  }

  /// The number for which a body that is JSON cannot be read.
  private var numberOutOfRange: String? {
    do throws(JSONError) { _ = try JSON(parsing: body) } catch {
      guard error.isOfNumberSize else { return nil }
      let digits = body.utf8.prefix(error.offset).reversed().prefix { "+-.eE0123456789".utf8.contains($0) }
      return String(decoding: digits.reversed().prefix(40), as: UTF8.self)
    }
    return nil
  }

  /// What warns of a body in a coding that was not asked for, of which libcurl does not tell whether it was cut off.
  func unverifiedEnd(of request: HTTPRequest) -> Finding? {
    let asksForCoding = (request.headers + request.credentials).contains {
      $0.name.lowercased() == "accept-encoding" && $0.value.lowercased() != "identity"
    }
    let hasBody = request.method != "HEAD" && ![204, 304].contains(status) && headers["content-length"] != "0"
    let codings = ["content-encoding", "transfer-encoding"].flatMap { name in
      (headers[name] ?? "").lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
    }
    guard !asksForCoding, hasBody, let coding = codings.first(where: { $0 != "identity" && $0 != "chunked" }) else {
      return nil
    }
    return Finding(
      "http.bodyEndUnverified",
      "\(url) sent its body in the coding \(coding), unasked: whether its end is missing cannot be told",
      advice: "Look whether `bodySize` is right, and at the server's compression. If it is to be so, ask for it: "
        + "`headers: {Accept-Encoding: \(coding)}`.")
  }
}

extension StepError {
  /// What a request without a response means for a step.
  init(_ error: HTTPError) {
    let kind: Kind =
      switch error.code {
      case .cancelled: .interrupted
      case .invalidRequest: .notStarted
      case .unavailable, .nameUnanswered, .proxyFailed: .broken
      default: .failed
      }
    let learnt = error.hops.isEmpty ? [] : error.learnt
    self.init(kind, Finding(error), learnt: learnt)
  }
}

extension Finding {
  init(_ error: HTTPError) {
    self.init(
      "http.\(error.code.rawValue)", error.message.withoutFullStop, advice: error.advice.isEmpty ? nil : error.advice)
  }
}

extension HTTPError {
  /// What is known of the hops all the same.
  fileprivate var learnt: [Value.Member] {
    let hops = hops.map { HopRecord.record.encode(HopRecord($0)).withoutNulls }
    return [.init("hops", .list(hops)), .init("elapsed", .duration(elapsed))]
  }
}

extension Value {
  /// Without members that are absent.
  fileprivate var withoutNulls: Value {
    switch self {
    case .members(let members):
      .members(members.filter { $0.value != .null }.map { Member($0.name, $0.value.withoutNulls) })
    case .list(let values): .list(values.map(\.withoutNulls))
    default: self
    }
  }
}
