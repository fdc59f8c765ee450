import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

/// An engine that is not there, that hangs, that is none.
@Suite struct NoEngineTests {
  private func error(_ engine: String, module: String = "docker.inspect", timeout: Duration = .seconds(20)) async throws
    -> StepError
  {
    try await DockerStep(module, engine: engine, container: "coturn", timeout: timeout).error()
  }

  @Test("Without an engine nothing is begun, and the finding says how to start one")
  func missing() async throws {
    let folder = try TemporaryFolder()
    let looking = try await error("unix://\(folder.path)/docker.sock")
    #expect(looking.kind == .broken)
    #expect(looking.finding.code == "docker.noEngine")
    #expect(looking.finding.advice?.contains("systemctl start docker") == true)
    let changing = try await error("unix://\(folder.path)/docker.sock", module: "docker.restart")
    #expect(changing.kind == .notStarted)
    let port = try freePort()
    #expect(try await error("tcp://127.0.0.1:\(port)").finding.code == "docker.noEngine")
  }

  @Test(
    "An engine that takes the connection and is silent is given up at the deadline", .timeLimit(.minutes(5)))
  func silent() async throws {
    let folder = try TemporaryFolder()
    let server = try ScriptedServer(at: "\(folder.path)/s") { $0.waitUntilClosed() }
    let looking = try await error("unix://\(folder.path)/s", timeout: .seconds(1))
    #expect(looking.kind == .broken)
    #expect(looking.finding.code == "docker.engineSilent")
    #expect(try await error("unix://\(folder.path)/s", module: "docker.stop", timeout: .seconds(1)).kind == .notStarted)
    withExtendedLifetime(server) {}
  }

  @Test(
    "What is no engine is told as such",
    arguments: [
      "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[{}]",
    ])
  func notAnEngine(answer: String) async throws {
    let server = try ScriptedServer { $0.send(answer) }
    let error = try await error("tcp://127.0.0.1:\(server.port)")
    #expect(error.kind == .broken)
    #expect(error.finding.code == "docker.notAnEngine")
  }

  @Test("A restart of which the engine never tells the end is not known, and is not said to have failed")
  func changeWithoutEnd() async throws {
    let id = String(repeating: "ab", count: 32)
    let list = #"[{"Id":"\#(id)","Names":["/coturn"],"State":"running"}]"#
    let one =
      #"{"Id":"\#(id)","Name":"/coturn","Image":"sha256:1","State":{"Status":"running"},"Config":{"StopTimeout":0}}"#
    func answer(_ text: String) -> String {
      "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
    }
    let (listed, inspected) = (answer(list), answer(one))
    for isCut in [true, false] {
      let server = try ScriptedServer { connection in
        if connection.requestLine.hasPrefix("POST") {
          if !isCut { connection.waitUntilClosed() }
        } else {
          connection.send(connection.requestLine.contains("/containers/json") ? listed : inspected)
        }
      }
      let step = DockerStep("docker.restart", engine: "tcp://127.0.0.1:\(server.port)", container: "coturn")
      let task = Task { try await step.error() }
      let end = ContinuousClock.now + .seconds(30)
      while !server.requests.contains(where: { $0.hasPrefix("POST") }) {
        try #require(.now < end)
        try await Task.sleep(for: .milliseconds(10))
      }
      if !isCut { task.cancel() }
      let error = try await task.value
      #expect(error.kind == .interrupted)
      #expect(error.finding.code == "docker.interrupted")
      #expect(server.requests.contains { $0.hasPrefix("POST /containers/\(id)/restart HTTP/1.1") })
    }
  }
}
