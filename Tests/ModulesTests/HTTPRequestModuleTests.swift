import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import HTTP
@testable import Modules

@Suite struct HTTPRequestModuleTests {
  private func request(_ url: String, _ members: Value.Member...) async throws -> StepResult<Value> {
    try await run("http.request", [.init("url", .string(url))] + members)
  }

  @Test("JSON is read by path, however the body was cut into chunks")
  func json() async throws {
    let chunks = [#"{"status":"hea"#, #"lthy","metrics":{"upt"#, #"ime":86400}}"#]
    let body = chunks.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined()
    let server = try ScriptedServer {
      $0.send(
        "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nX-A: 1\r\nx-a: 2\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n\(body)0\r\n\r\n")
    }
    let result = try await request(server.url, .init("json", .bool(true)))
    #expect(result.objection == nil)
    #expect(result.output["json"]?["status"] == .string("healthy"))
    #expect(result.output["json"]?["metrics"]?["uptime"] == .int(86_400))
    #expect(result.output["contentType"] == .string("application/json"))
    #expect(result.output["headers"]?["x-a"] == .string("1, 2"))
    #expect(result.output["tls"] == .null)
    #expect(result.output["nameLookup"] == .null)
    guard case .duration? = result.output["firstByte"] else {
      Testing.Issue.record("there is a first byte")
      return
    }
  }

  @Test("Only 2xx is right unless others are named: 401 is no success, 301 is not followed")
  func statuses() async throws {
    let server = try ScriptedServer { connection in
      let status = connection.requestLine.split(separator: "/")[1].prefix(3)
      connection.send(httpResponse("\(status) X", status == "301" ? ["Location: /200"] : []))
    }
    for status in [301, 401, 404, 500, 503] {
      let result = try await request("\(server.url)/\(status)")
      #expect(result.objection?.severity == .fail)
      #expect(result.objection?.finding.code == "http.statusUnexpected")
      #expect(result.output["status"] == .int(Int64(status)))
      #expect(
        try await request("\(server.url)/\(status)", .init("statuses", .list([.int(Int64(status))]))).objection == nil)
    }
    let moved = try await request("\(server.url)/301")
    #expect(
      moved.objection?.finding.message
        == "\(server.url)/301 answered 301 instead of 2xx: it redirects to \(server.url)/200")
    let followed = try await request("\(server.url)/301", .init("redirects", .int(1)))
    #expect(followed.objection == nil)
    #expect(followed.output["redirects"] == .int(1))
    #expect(followed.output["url"] == .string("\(server.url)/200"))
  }

  @Test("A login page in place of JSON fails a step that demands JSON")
  func noJSON() async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: "<html>status\":\"healthy\"</html>")) }
    let result = try await request(server.url, .init("json", .bool(true)))
    #expect(result.objection?.finding.code == "http.bodyNotJSON")
    let large = try ScriptedServer { $0.send(httpResponse(body: "{\"load\": [1, -1e400]}")) }
    let number = try await request(large.url, .init("json", .bool(true))).objection?.finding
    #expect(number?.code == "http.numberOutOfRange")
    #expect(
      number?.message.hasSuffix("JSON that holds a number out of range: -1e400") == true,
      "\(String(describing: number))")
    #expect(try await request(server.url).objection == nil)
    #expect(try await request(server.url).output["json"] == .null)
  }

  @Test("A server that refuses fails the step; phases that were not reached are absent from what was learnt")
  func refused() async throws {
    let port = try freePort()
    let error = try await stepError { _ = try await request("http://127.0.0.1:\(port)/") }
    #expect(error.kind == .failed)
    #expect(error.finding.code == "http.connectionRefused")
    guard case .list(let hops)? = error.learnt.first(where: { $0.name == "hops" })?.value, let hop = hops.first else {
      Testing.Issue.record("hops are learnt")
      return
    }
    #expect(hop["connect"] == nil && hop["tls"] == nil && hop["firstByte"] == nil && hop["status"] == nil)
    guard case .duration? = hop["elapsed"] else {
      Testing.Issue.record("the time is told")
      return
    }
  }

  @Test("What is secret is sent, and masked in what a server says of it")
  func secrets() async throws {
    let server = try ScriptedServer { connection in
      connection.send(httpResponse("200 OK", ["X-Echo: tok-38f1"], body: connection.request))
    }
    let result = try await request(
      server.url, .init("secretHeaders", .members([.init("X-Token", .secret(Secret(.string("tok-38f1"))))])),
      .init("username", .string("ops")), .init("password", .secret(Secret(.string("hunter2-hunter2")))))
    let sent = try #require(server.requests.first)
    #expect(sent.contains("X-Token: tok-38f1\r\n"))
    #expect(sent.contains("Authorization: Basic \(Data("ops:hunter2-hunter2".utf8).base64EncodedString())\r\n"))
    let shown = "\(result.output)"
    #expect(!shown.contains("tok-38f1"))
    #expect(!shown.contains("hunter2-hunter2"))
    #expect(!shown.contains(Data("ops:hunter2-hunter2".utf8).base64EncodedString()))
  }

  @Test("A body that is compressed unasked is warned of: of one that is cut off, the end is not missed")
  func unverifiedEnd() async throws {
    let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 6, 0, 0xF9, 0xFF]
    let gzip: [UInt8] = head + Array("hello\n".utf8) + [0x20, 0x30, 0x3A, 0x36, 6, 0, 0, 0]
    for (cut, body) in [(0, "hello\n"), (10, "hell")] {
      let bytes = Array(gzip.dropLast(cut))
      let server = try ScriptedServer {
        $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bytes.count)\r\n\r\n")
        $0.send(bytes)
      }
      let result = try await request(server.url)
      #expect(result.output["body"] == .string(body))
      #expect(result.objection?.severity == .warn)
      #expect(result.objection?.finding.code == "http.bodyEndUnverified")
    }
    let server = try ScriptedServer {
      $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(gzip.count)\r\n\r\n")
      $0.send(gzip)
    }
    let asked = Value.members([.init("Accept-Encoding", .string("gzip"))])
    #expect(try await request(server.url, .init("headers", asked)).objection == nil)
    #expect(try await request(server.url, .init("method", .string("HEAD"))).objection == nil)
  }

  @Test("A URL that can never be asked is refused before the run, without its password")
  func objection() throws {
    let module = try #require(Catalog.standard["http.request"])
    for url in ["http://ops:hunter2@localhost/", "redis://localhost/", "http://-x/"] {
      let input = try ValueType.record(module.input).admit(.members([.init("url", .string(url))]))
      let finding = try #require(module.objection(input, .seconds(10)))
      #expect(finding.code == "http.invalidRequest")
      #expect(!"\(finding)".contains("hunter2"))
    }
  }

  @Test("Every code of a request without a response is in docs/codes.md")
  func codes() throws {
    let document = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/codes.md"),
      encoding: .utf8)
    #expect(HTTPError.Code.allCases.map { "`http.\($0.rawValue)`" }.filter { !document.contains($0) } == [])
  }
}
