import Foundation
import TestSupport
import Testing

@testable import HTTP

@Suite struct RedirectTests {
  private func redirect(_ status: String = "301 Moved Permanently", to location: String) -> String {
    httpResponse(status, ["Location: \(location)"], body: "elsewhere")
  }

  @Test("Unless it is asked for, a redirect is the response, and says where it leads")
  func notFollowed() async throws {
    let server = try ScriptedServer { $0.send(redirect(to: "../new?x#y")) }
    let response = try await send("\(server.url)/old/path")
    #expect(response.status == 301)
    #expect(response.hops.map(\.redirect) == ["\(server.url)/new?x"])
    #expect(String(decoding: response.body, as: UTF8.self) == "elsewhere")
    #expect(server.requests.count == 1)
  }

  @Test("Followed, each hop is told, and only the last body is kept")
  func followed() async throws {
    let server = try ScriptedServer { connection in
      switch connection.requestLine {
      case "GET /1 HTTP/1.1": connection.send(redirect("302 Found", to: "/2"))
      case "GET /2 HTTP/1.1": connection.send(redirect("308 Permanent Redirect", to: "/3"))
      default: connection.send(httpResponse(body: "here"))
      }
    }
    let response = try await send("\(server.url)/1") { $0.redirects = 2 }
    #expect(response.hops.map(\.status) == [302, 308, 200])
    #expect(response.hops.map(\.url) == ["/1", "/2", "/3"].map { server.url + $0 })
    #expect(String(decoding: response.body, as: UTF8.self) == "here")
    for hop in response.hops { #expect(hop.phases.connect != nil) }
  }

  @Test("A circle ends at the bound")
  func circle() async throws {
    let server = try ScriptedServer { $0.send(redirect(to: "/")) }
    let error = try await failure(server.url) { $0.redirects = 5 }
    #expect(error.code == .tooManyRedirects)
    #expect(error.hops.count == 6)
    #expect(server.requests.count == 6)
  }

  @Test(
    "Where a redirect must not be followed to", arguments: ["file:///etc/passwd", "gopher://127.0.0.1/", "http://"])
  func refused(location: String) async throws {
    let server = try ScriptedServer { $0.send(redirect(to: location)) }
    #expect(try await failure(server.url) { $0.redirects = 3 }.code == .redirectRefused)
    #expect(try await send(server.url).status == 301)
  }

  @Test("Credentials go to the first origin alone, also not to another port of its host")
  func credentials() async throws {
    let stranger = try ScriptedServer { $0.send(httpResponse(body: "stranger")) }
    let server = try ScriptedServer { connection in
      connection.send(redirect(to: connection.requestLine.contains("/own") ? "/there" : stranger.url + "/there"))
    }
    func request(_ path: String) async {
      _ = try? await send(server.url + path) {
        $0.redirects = 1
        $0.headers = [HTTPHeader("Cookie", "k1"), HTTPHeader("authorization", "k2"), HTTPHeader("X-Plain", "p")]
        $0.credentials = [HTTPHeader("X-Token", "k3")]
      }
    }
    await request("/other")
    let seen = try #require(stranger.requests.first)
    #expect(seen.contains("X-Plain: p\r\n"))
    for secret in ["k1", "k2", "k3"] { #expect(!seen.contains(secret)) }
    await request("/own")
    #expect(server.requests.count == 3)
    for secret in ["k1", "k2", "k3"] { #expect(server.requests[2].contains(secret)) }
  }

  @Test("User name and password that a redirect brings are not sent")
  func foreignCredentials() async throws {
    let server = try ScriptedServer { connection in
      let host = "127.0.0.1:\(connection.request.split(separator: "127.0.0.1:").last?.prefix { $0.isNumber } ?? "")"
      connection.send(
        connection.requestLine.contains("/last") ? httpResponse() : redirect(to: "http://ops:hunter2@\(host)/last"))
    }
    let response = try await send(server.url) { $0.redirects = 1 }
    #expect(response.status == 200)
    #expect(!server.requests.joined().lowercased().contains("authorization"))
    #expect(!response.hops.map(\.url).joined().contains("hunter2"))
  }

  @Test("A body is not sent to another server; where a POST becomes GET, there is none to send")
  func bodies() async throws {
    let stranger = try ScriptedServer { $0.send(httpResponse(body: "stranger")) }
    for (status, code) in [("307 Temporary Redirect", HTTPError.Code.redirectRefused), ("303 See Other", nil)] {
      let server = try ScriptedServer { $0.send(redirect(status, to: stranger.url)) }
      var request = HTTPRequest(server.url)
      (request.method, request.body, request.redirects) = ("POST", Array("secret".utf8), 1)
      do throws(HTTPError) {
        let response = try await request.response(by: .now + .seconds(20))
        #expect(code == nil)
        #expect(response.hops.map(\.method) == ["POST", "GET"])
      } catch {
        #expect(error.code == code)
      }
    }
    #expect(stranger.requests.count == 1)
    #expect(!stranger.requests.joined().contains("secret"))
  }
}
