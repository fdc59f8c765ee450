import Foundation
import Schema
import TestSupport
import Testing

@testable import HTTP

@Suite struct TLSTests {
  private let chains: CertificateChains
  private let server: NginxServer

  init() throws {
    chains = try CertificateChains()
    try chains.make("ca", .authority)
    try chains.make("server", .server("DNS:turn.example.com,IP:127.0.0.1"), by: "ca", start: "-1h", days: 5)
    server = try NginxServer(
      certificate: (chains.file("server.pem"), chains.file("server.key")),
      locations: """
        location = /1 { return 302 https://127.0.0.1:$server_port/2; }
        location = /2 { return 301 https://127.0.0.1:$server_port/3; }
        location / { return 200 '{"protocol":"$server_protocol","name":"$ssl_server_name","host":"$host"}'; }
        """)
  }

  private var url: String { "https://127.0.0.1:\(server.tlsPort)" }
  private var authority: String { chains.file("ca.pem") }

  private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

  @Test("HTTP/2 is used if it is offered, HTTP/1.1 otherwise; the certificate's end is told")
  func versions() async throws {
    for (offers, version) in [(true, "2"), (false, "1.1")] {
      let response = try await send(url) {
        $0.tls.authorityFile = authority
        $0.offersHTTP2 = offers
      }
      #expect(response.version == version)
      #expect(text(response).contains(#""protocol":"HTTP/\#(offers ? "2.0" : "1.1")""#))
      let end = try #require(response.hops[0].certificateEnd)
      let days = Double(end.seconds) - Date.now.timeIntervalSince1970
      #expect((4.9 * 86_400...5 * 86_400).contains(days))
      #expect(response.hops[0].phases.all.map(\.name) == ["connect", "tls", "firstByte", "transfer"])
    }
  }

  @Test("Over two redirects, each hop has its own disjoint phases, and their sum is the whole")
  func redirects() async throws {
    let response = try await send("\(url)/1") {
      $0.tls.authorityFile = authority
      $0.redirects = 2
    }
    #expect(response.hops.map(\.status) == [302, 301, 200])
    for hop in response.hops {
      #expect(hop.phases.all.map(\.name) == ["connect", "tls", "firstByte", "transfer"])
      let sum = hop.phases.all.map(\.duration).reduce(.zero, +)
      #expect(sum <= hop.elapsed)
      #expect(hop.phases.all.allSatisfy { $0.duration >= .zero })
    }
    #expect(response.hops.map(\.elapsed).reduce(.zero, +) <= response.elapsed)
  }

  @Test("Certificates are verified: authority, name, and end")
  func verification() async throws {
    let unknown = try await failure(url)
    #expect(unknown.code == .certificateUntrusted, "\(unknown)")
    #expect(unknown.hops[0].phases.all.map(\.name) == ["connect"])
    let named = try await failure(url) {
      $0.tls.authorityFile = authority
      $0.tls.serverName = "other.example.com"
    }
    #expect(named.code == .certificateUntrusted, "\(named)")
    #expect(try await send(url) { $0.tls.verifiesCertificate = false }.status == 200)
    let file = try await failure(url) { $0.tls.authorityFile = "/no/such/file" }
    #expect(file.code == .invalidRequest, "\(file)")
  }

  @Test("The server name is asked for and verified, and the request stays for the URL's host")
  func serverName() async throws {
    let response = try await send(url) {
      $0.tls.authorityFile = authority
      $0.tls.serverName = "turn.example.com"
    }
    #expect(text(response).contains(#""name":"turn.example.com","host":"127.0.0.1""#), "\(text(response))")
  }

  @Test("The server name is for the URL's own origin alone, and not for a proxy")
  func serverNameElsewhere() async throws {
    let response = try await send("https://localhost:\(server.tlsPort)/1") {
      $0.tls.authorityFile = authority
      $0.tls.serverName = "turn.example.com"
      $0.redirects = 2
    }
    #expect(text(response).contains(#""name":"","host":"127.0.0.1""#), "\(text(response))")
    let error = try await failure(url) {
      $0.tls.serverName = "turn.example.com"
      $0.takesProxyFromEnvironment = true
    }
    #expect(error.code == .invalidRequest, "\(error)")
  }

  @Test("Plain HTTP at a port with TLS, and TLS at one without")
  func mixedUp() async throws {
    #expect(try await send("http://127.0.0.1:\(server.tlsPort)").status == 400)
    let error = try await failure("https://127.0.0.1:\(server.port)") { $0.tls.authorityFile = authority }
    #expect(error.code == .tlsFailed, "\(error)")
  }

  @Test("A real server at a unix socket, and its gzip")
  func unixSocket() async throws {
    let plain = try await send("http://localhost/") { $0.unixSocket = server.socket }
    #expect(plain.values(of: "Content-Encoding").isEmpty)
    let response = try await send("http://localhost/") {
      $0.unixSocket = server.socket
      $0.headers = [HTTPHeader("Accept-Encoding", "gzip")]
    }
    #expect(response.status == 200)
    #expect(response.body == plain.body)
    #expect(response.values(of: "Content-Encoding") == ["gzip"])
    #expect(text(response).contains(#""protocol":"HTTP/1.1""#))
  }
}
