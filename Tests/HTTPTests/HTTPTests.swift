import Connections
import Foundation
import Names
import Schema
import TestSupport
import Testing

@testable import HTTP

/// Sends a request.
func send(
  _ url: String, within time: Duration = .seconds(20), _ change: (inout HTTPRequest) -> Void = { _ in },
  observer: HTTPRequest.BodyObserver? = nil
) async throws(HTTPError) -> HTTPResponse {
  var request = HTTPRequest(url)
  change(&request)
  return try await request.response(by: .now + time, observer: observer)
}

/// The error of a request.
func failure(
  _ url: String, within time: Duration = .seconds(20), _ change: (inout HTTPRequest) -> Void = { _ in }
) async throws -> HTTPError {
  do throws(HTTPError) {
    let response = try await send(url, within: time, change)
    throw HTTPError(.cancelled, "no error, but \(response.status)")
  } catch {
    return error
  }
}

@Suite struct HTTPTests {
  @Test("A response comes with version, status, header fields and body")
  func response() async throws {
    let server = try ScriptedServer { connection in
      connection.send(httpResponse("203 Nearly", ["X-One: 1", "x-one:  2 ", "Empty:"], body: "hello"))
    }
    let response = try await send("\(server.url)/health?a=b#part")
    #expect((response.version, response.status, response.reason) == ("1.1", 203, "Nearly"))
    #expect(response.values(of: "X-ONE") == ["1", "2"])
    #expect(response.values(of: "empty") == [""])
    #expect(response.body == Array("hello".utf8))
    #expect(server.requests.count == 1)
    let request = try #require(server.requests.first)
    #expect(request.hasPrefix("GET /health?a=b HTTP/1.1\r\n"))
    #expect(request.contains("Host: 127.0.0.1:\(server.port)\r\n"))
    #expect(request.contains("User-Agent: runbook\r\n"))
  }

  @Test("Method, header fields and body are sent as they are", arguments: ["POST", "PUT", "DELETE", "PATCH"])
  func body(method: String) async throws {
    let server = try ScriptedServer { $0.send(httpResponse("204 No Content")) }
    let response = try await send(server.url) {
      $0.method = method
      $0.headers = [HTTPHeader("Content-Type", "application/json"), HTTPHeader("X-Empty", "")]
      $0.body = Array("{}".utf8)
    }
    #expect(response.status == 204)
    let request = try #require(server.requests.first)
    #expect(request.hasPrefix("\(method) / HTTP/1.1\r\n"))
    #expect(request.contains("Content-Type: application/json\r\n"))
    #expect(request.contains("X-Empty:\r\n"))
    #expect(request.contains("Content-Length: 2\r\n"))
  }

  @Test("HEAD waits for no body")
  func head() async throws {
    let server = try ScriptedServer {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
      $0.waitUntilClosed()
    }
    #expect(try await send(server.url) { $0.method = "HEAD" }.body.isEmpty)
  }

  @Test("A word that the border of two chunks cuts is whole in the body")
  func chunks() async throws {
    let server = try ScriptedServer {
      $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhea\r\n4\r\nlthy\r\n0\r\nX-Trailer: 1\r\n\r\n")
    }
    let response = try await send(server.url)
    #expect(String(decoding: response.body, as: UTF8.self) == "healthy")
    #expect(response.values(of: "X-Trailer").isEmpty)
  }

  @Test("An interim response is none")
  func interim() async throws {
    let server = try ScriptedServer {
      $0.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + httpResponse(body: "done"))
    }
    let response = try await send(server.url)
    #expect(response.status == 200)
    #expect(response.values(of: "Link").isEmpty)
  }

  @Test("The observer gets the body, and nothing of it is kept")
  func observer() async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: String(repeating: "line\n", count: 50_000))) }
    final class Count: @unchecked Sendable { var bytes = 0 }
    let count = Count()
    let response = try await send(server.url, observer: { count.bytes += $0.count })
    #expect(response.body.isEmpty)
    #expect(count.bytes == 250_000)
  }

  @Test(
    "What is no HTTP is told as that, in time",
    arguments: ["", "<html>without a head</html>", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP", "\0\0\0", "HTTP/1.1 \r\n\r\n"])
  func noResponse(text: String) async throws {
    let server = try ScriptedServer { $0.send(text) }
    let error = try await failure(server.url)
    #expect(error.code == .noResponse, "\(error)")
    #expect(error.hops.map(\.status) == [nil])
    #expect(error.hops[0].phases.connect != nil)
    #expect(error.hops[0].phases.transfer == nil)
  }

  @Test("A body that ends too early is no body")
  func cutOff() async throws {
    let server = try ScriptedServer { $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello") }
    let error = try await failure(server.url)
    #expect(error.code == .responseBroken, "\(error)")
    #expect(error.hops.map(\.status) == [200])
  }

  @Test("A refused connection has no phases but a time, and tells each address")
  func refused() async throws {
    let port = try freePort()
    let error = try await failure("http://localhost:\(port)")
    #expect(error.code == .connectionRefused, "\(error)")
    let hop = try #require(error.hops.first)
    #expect(hop.phases.all.map(\.name) == ["nameLookup"])
    #expect(hop.elapsed > .zero)
    #expect(!hop.tries.isEmpty)
    #expect(hop.tries.allSatisfy { $0.answer == .refused || $0.answer == .unreachable })
  }

  @Test("Phases are disjoint: their sum is the time of the hop")
  func phases() async throws {
    let server = try ScriptedServer {
      usleep(60_000)
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
      usleep(300_000)
      $0.send("b")
    }
    let response = try await send(server.url.replacing("127.0.0.1", with: "localhost")) { $0.addresses = .v4 }
    let phases = response.hops[0].phases
    #expect(phases.all.map(\.name) == ["nameLookup", "connect", "firstByte", "transfer"])
    #expect(try #require(phases.firstByte) > .milliseconds(59))
    #expect(try #require(phases.transfer) > .milliseconds(50))
    #expect(phases.all.map(\.duration).reduce(.zero, +) <= response.hops[0].elapsed)
  }

  @Test("The deadline ends a silent server and a slow body, and says which it was")
  func deadline() async throws {
    let silent = try ScriptedServer { $0.waitUntilClosed() }
    let slow = try ScriptedServer {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
      $0.waitUntilClosed()
    }
    let stuck = try ScriptedServer(readsRequest: false) { $0.waitUntilClosed() }
    // A busy machine may need more time to connect than there is: then there is more.
    func message(_ url: String, _ expected: String) async throws {
      var error = try await failure(url, within: .seconds(1))
      for seconds in [5, 20] where error.message.text != expected {
        error = try await failure(url, within: .seconds(seconds))
      }
      #expect(error.message.text == expected)
      #expect(error.code == .timedOut)
    }
    async let first: Void = message(silent.url, "127.0.0.1:\(silent.port) gave no response in time.")
    async let second: Void = message(
      slow.url, "127.0.0.1:\(slow.port) began its response and did not end it in time.")
    async let third: Void = message(
      "https://127.0.0.1:\(stuck.port)", "127.0.0.1:\(stuck.port) did not finish the TLS handshake in time.")
    _ = try await (first, second, third)
  }

  @Test("Cancellation ends the request and closes its connection")
  func cancellation() async throws {
    let (closed, closing) = AsyncStream<Void>.makeStream()
    let (arrived, arriving) = AsyncStream<Void>.makeStream()
    let server = try ScriptedServer {
      arriving.yield()
      $0.waitUntilClosed()
      closing.yield()
    }
    let task = Task { try await failure(server.url, within: .seconds(60)) }
    _ = await arrived.first { true }
    task.cancel()
    let error = try await task.value
    #expect(error.code == .cancelled)
    _ = await closed.first { true }
  }

  @Test("What can never be sent is refused before anything is looked up")
  func invalid() async throws {
    for url in ["", "localhost:80", "/health", "http://", "http://-x/", "http://a b/", "http://1.2.3.400/"] {
      #expect(try await failure(url).code == .invalidRequest, "\(url)")
    }
    #expect(try await failure("file:///etc/passwd").message.text == "The scheme file is not supported.")
    let secret = try await failure("http://ops:hunter2@127.0.0.1/")
    #expect(secret.code == .invalidRequest)
    #expect(!secret.description.contains("hunter2"))
    #expect(try await failure("http://127.0.0.1/") { $0.method = "GET /x" }.code == .invalidRequest)
    for header in [
      HTTPHeader("X", "a\r\nY: b"), HTTPHeader("X: a\r\nY", "b"), HTTPHeader("", "b"), HTTPHeader("a b", ""),
    ] {
      #expect(try await failure("http://127.0.0.1/") { $0.headers = [header] }.code == .invalidRequest)
    }
  }

  @Test("A name that does not exist is told apart from a server that is silent")
  func noSuchName() async throws {
    let error = try await failure("http://name.invalid/")
    #expect([.nameNotFound, .nameUnanswered].contains(error.code), "\(error)")
    #expect(error.hops[0].phases.all.isEmpty)
  }

  @Test("Unix sockets: the server behind one answers; errors name the path")
  func unixSocket() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/docker.sock"
    let server = try ScriptedServer(at: path) { $0.send(httpResponse(body: "[]")) }
    let response = try await send("http://docker/v1.41/containers/json") { $0.unixSocket = path }
    #expect(response.body == Array("[]".utf8))
    #expect(server.requests.first?.contains("Host: docker\r\n") == true)
    #expect(response.hops[0].phases.nameLookup == nil)
    let none = try await failure("http://docker/") { $0.unixSocket = "\(folder.path)/none" }
    #expect(none.message.text == "The unix socket \(folder.path)/none cannot be used: No such file or directory.")
    let long = try await failure("http://docker/") { $0.unixSocket = "/" + String(repeating: "x", count: 120) }
    #expect(long.message.text.hasSuffix("cannot be used: File name too long."))
  }

  @Test("Hundreds of requests at once")
  func many() async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: "ok")) }
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<200 { group.addTask { try await send(server.url).status } }
      for try await status in group { #expect(status == 200) }
    }
    #expect(server.requests.count == 200)
  }
}
