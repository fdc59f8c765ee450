import Journal
import Schema
import Steps
import TestSupport
import Testing

extension DockerEngineTests {
  /// A real engine behind TLS.
  @Suite struct EncryptedEngineTests {
    @Test("An engine is asked over TLS, and one whose certificate another authority signed is not")
    func encrypted() async throws {
      let lab = try DockerEngineTests.lab()
      let chains = try CertificateChains()
      try chains.make("ca", .authority)
      try chains.make("other", .authority)
      try chains.make("server", .server("IP:127.0.0.1"), by: "ca", start: "-1h", days: 5)
      let server = try NginxServer(
        certificate: (chains.file("server.pem"), chains.file("server.key")),
        locations: "location / { proxy_pass http://unix:\(lab.socket):; }")
      for (authority, isTrusted) in [("ca", true), ("other", false)] {
        let folder = try TemporaryFolder()
        try folder.write(chains.read("\(authority).pem"), to: "ca.pem")
        try folder.write(chains.read("server.pem"), to: "cert.pem")
        try folder.write(chains.read("server.key"), to: "key.pem", mode: 0o600)
        var step = DockerStep("docker.ps", lab)
        step.input = [
          .init("engine", .string("tcp://127.0.0.1:\(server.tlsPort)")), .init("certificates", .string(folder.path)),
        ]
        guard isTrusted else {
          #expect(try await step.error().finding.code == "docker.engineUntrusted")
          continue
        }
        #expect(try await step().output["engine"] == .string("tcp://127.0.0.1:\(server.tlsPort)"))
      }
    }
  }
}
