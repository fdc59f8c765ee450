package import Connections
import HTTP
import Schema

/// One address that was tried, for an output.
package struct TryRecord: Hashable, Sendable {
  package var address: String
  package var answer: ConnectionAnswer
  package var elapsed: Duration

  static let record = Record(
    TryRecord.init,
    Field("address", \.address, .string, "Address and port."),
    Field("answer", \.answer, .enumeration(ConnectionAnswer.self), "How it took the wish to connect."),
    Field("elapsed", \.elapsed, .duration, "From the wish until the answer, or until nobody waited any longer.")
  )

  init(address: String, answer: ConnectionAnswer, elapsed: Duration) {
    self.address = address
    self.answer = answer
    self.elapsed = elapsed
  }

  init(_ attempt: ConnectionTry) {
    self.init(address: "\(attempt.address)", answer: attempt.answer, elapsed: attempt.elapsed)
  }
}

/// One request of an exchange, for an output.
package struct HopRecord: Hashable, Sendable {
  package var method: String
  package var url: String
  package var status: Int?
  package var redirect: String?
  package var address: String?
  package var nameLookup: Duration?
  package var connect: Duration?
  package var tls: Duration?
  package var firstByte: Duration?
  package var transfer: Duration?
  package var elapsed: Duration
  package var tries: [TryRecord]

  static let record = Record(
    HopRecord.init,
    Field("method", \.method, .string, "Its method."),
    Field("url", \.url, .string, "Its URL."),
    Field("status", \.status, .optional(.int), "The status of its response; absent: there was none."),
    Field("redirect", \.redirect, .optional(.string), "Where its response redirects to; absent: nowhere."),
    Field(
      "address", \.address, .optional(.string), "Address and port that answered; absent: a unix socket or a proxy."),
    Field("nameLookup", \.nameLookup, .optional(.duration), "How long the search for the name took; absent: none."),
    Field("connect", \.connect, .optional(.duration), "How long the connection took; absent: there was none."),
    Field("tls", \.tls, .optional(.duration), "How long the TLS handshake took; absent: none, or unfinished."),
    Field("firstByte", \.firstByte, .optional(.duration), "From then to the first byte; absent: none came."),
    Field("transfer", \.transfer, .optional(.duration), "From there to the last byte; absent: it did not come."),
    Field("elapsed", \.elapsed, .duration, "How long all of it took."),
    Field("tries", \.tries, .list(.record(TryRecord.record)), "Each address that was tried.")
  )
}

extension HopRecord {
  init(_ hop: HTTPHop) {
    self.init(
      method: hop.method, url: hop.url, status: hop.status, redirect: hop.redirect,
      address: hop.address.map { "\($0)" }, nameLookup: hop.phases.nameLookup, connect: hop.phases.connect,
      tls: hop.phases.tls, firstByte: hop.phases.firstByte, transfer: hop.phases.transfer, elapsed: hop.elapsed,
      tries: hop.tries.map(TryRecord.init))
  }
}
