import Docker
import Testing

/// What names an engine.
@Suite struct EndpointTests {
  @Test(
    "Sockets, hosts with and without TLS, and hosts behind ssh are read",
    arguments: [
      ("unix:///run/docker.sock", "unix:///run/docker.sock"), ("tcp://10.0.0.5:2375", "tcp://10.0.0.5:2375"),
      ("tcp://turn.example.com", "tcp://turn.example.com:2375"), ("tcp://[::1]:2375/", "tcp://[::1]:2375"),
      ("tcp://[::1]", "tcp://[::1]:2375"), ("ssh://ops@turn.example.com", "ssh://ops@turn.example.com"),
      ("ssh://turn:2222/run/user/1000/docker.sock", "ssh://turn:2222/run/user/1000/docker.sock"),
    ])
  func read(text: String, name: String) throws {
    #expect(try DockerEndpoint(text).name == name)
  }

  @Test("With certificates an engine is asked over TLS, at its port")
  func certificates() throws {
    #expect(
      try DockerEndpoint("tcp://turn.example.com", certificates: "/c").place
        == .tcp(server: "turn.example.com:2376", certificates: "/c"))
  }

  @Test(
    "What names no engine is refused with the reason",
    arguments: [
      "", "docker", "/run/docker.sock", "unix://run/docker.sock", "npipe:////./pipe/docker", "tcp://", "tcp://h/path",
      "tcp://u:p@h:1", "ssh://", "ssh://-oProxyCommand=x", "ssh://u:p@h", "ssh://h:0", "https://h:2376", "ssh://-l@h",
    ])
  func refused(text: String) {
    let error = #expect(throws: DockerError.self) { try DockerEndpoint(text) }
    #expect(error?.code == .endpointInvalid)
  }

  @Test("The environment names the engine as it does for docker(1), and TLS is never without verification")
  func environment() throws {
    func endpoint(_ variables: [String: String]) throws -> DockerEndpoint {
      try DockerEndpoint.ofEnvironment { variables[$0] }
    }
    #expect(try endpoint([:]) == .standard)
    #expect(try endpoint(["DOCKER_HOST": ""]) == .standard)
    #expect(try endpoint(["DOCKER_HOST": "tcp://h:1"]).place == .tcp(server: "h:1", certificates: nil))
    #expect(
      try endpoint(["DOCKER_HOST": "tcp://h:1", "DOCKER_TLS_VERIFY": "1", "HOME": "/root"]).place
        == .tcp(server: "h:1", certificates: "/root/.docker"))
    #expect(
      try endpoint(["DOCKER_HOST": "tcp://h:1", "DOCKER_CERT_PATH": "/c"]).place
        == .tcp(server: "h:1", certificates: "/c"))
  }
}
