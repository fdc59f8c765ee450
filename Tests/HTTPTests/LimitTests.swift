import Foundation
import Schema
import TestSupport
import Testing

@testable import HTTP

@Suite struct LimitTests {
  /// What a tool makes of an input.
  private func encoded(_ program: String, _ arguments: [String], _ bytes: Data) throws -> [UInt8] {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    DispatchQueue.global().async {
      input.fileHandleForWriting.write(bytes)
      try? input.fileHandleForWriting.close()
    }
    let result = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Array(result)
  }

  private func server(_ coding: String, _ bytes: [UInt8]) throws -> ScriptedServer {
    try ScriptedServer {
      $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\nContent-Length: \(bytes.count)\r\n\r\n")
      $0.send(bytes)
    }
  }

  @Test("Bodies in gzip, br and zstd are decoded")
  func codings() async throws {
    let hello = Data("hello\n".utf8)
    let bodies = [
      "gzip": try encoded("gzip", ["-c"], hello), "zstd": try encoded("zstd", ["-qc"], hello),
      // As brotli(1) writes it.
      "br": [0x8B, 0x02, 0x80] + Array(hello) + [0x03],
    ]
    for (coding, bytes) in bodies {
      let server = try server(coding, bytes)
      let response = try await send(server.url) { $0.headers = [HTTPHeader("Accept-Encoding", coding)] }
      #expect(response.body == Array(hello), "\(coding)")
      // One that comes unasked, too.
      #expect(try await send(server.url).body == Array(hello), "\(coding)")
      let accepted = server.requests.map { $0.split(separator: "\r\n").filter { $0.hasPrefix("Accept-Encoding:") } }
      #expect(accepted == [["Accept-Encoding: \(coding)"], ["Accept-Encoding: identity"]])
    }
  }

  @Test("A bomb ends at the limit of the decoded body", arguments: ["gzip", "zstd"])
  func bomb(coding: String) async throws {
    let bytes = try encoded(coding, ["-c"], Data(count: 100 << 20))
    #expect(bytes.count < 200_000)
    let server = try server(coding, bytes)
    let error = try await failure(server.url) { $0.limits.body = 1 << 20 }
    #expect(error.code == .bodyTooLarge)
    #expect(error.message.text == "127.0.0.1:\(server.port) sent a body of more than 1MiB, decoded.")
  }

  @Test("A body that is not what its coding says")
  func undecodable() async throws {
    let server = try server("gzip", Array("this is no gzip".utf8))
    #expect(try await failure(server.url).code == .bodyUndecodable)
  }

  @Test("A body of exactly the limit is taken, one byte more is not")
  func exactly() async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: "0123456789")) }
    #expect(try await send(server.url) { $0.limits.body = 10 }.body.count == 10)
    #expect(try await failure(server.url) { $0.limits.body = 9 }.code == .bodyTooLarge)
  }

  @Test("An endless body, endless header fields, endless interim responses and trailers end at the limit")
  func endless() async throws {
    let head = "HTTP/1.1 200 OK\r\n"
    let scripts: [(start: String, again: String, HTTPError.Code)] = [
      (head + "\r\n", String(repeating: "x", count: 4096), .bodyTooLarge),
      (head, "X-More: \(String(repeating: "x", count: 100))\r\n", .headersTooLarge),
      ("", "HTTP/1.1 100 Continue\r\nX: \(String(repeating: "x", count: 100))\r\n\r\n", .headersTooLarge),
      (
        head + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-More: \(String(repeating: "x", count: 100))\r\n",
        .headersTooLarge
      ),
    ]
    for (start, again, code) in scripts {
      let server = try ScriptedServer { connection in
        guard connection.send(start) else { return }
        while connection.send(again) {}
      }
      let error = try await failure(server.url) { ($0.limits.head, $0.limits.body) = (16 << 10, 1 << 20) }
      #expect(error.code == code, "\(again.prefix(20)): \(error)")
    }
  }

  @Test("A header field without end ends")
  func endlessField() async throws {
    let server = try ScriptedServer { connection in
      connection.send("HTTP/1.1 200 OK\r\nX: ")
      while connection.send(String(repeating: "x", count: 4096)) {}
    }
    let error = try await failure(server.url)
    #expect([.headersTooLarge, .noResponse, .responseBroken].contains(error.code), "\(error)")
  }
}
