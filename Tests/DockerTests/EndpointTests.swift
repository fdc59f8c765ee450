import Docker
import Schema
import TestSupport
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

  /// A folder as docker(1) keeps one: contexts `near` and `tls` with an engine each, and some that are of no use.
  private func configuration(_ config: String? = nil) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (id, document) in [
      ("1", #"{"Name": "near", "Endpoints": {"docker": {"Host": "unix:///run/near.sock"}}}"#),
      ("2", #"{"Name": "tls", "Endpoints": {"docker": {"Host": "tcp://h:2376", "SkipTLSVerify": false}}}"#),
      ("3", #"{"Name": "blind", "Endpoints": {"docker": {"Host": "tcp://h:2376", "SkipTLSVerify": true}}}"#),
      ("4", #"{"Name": "kubernetes", "Endpoints": {}}"#), ("5", "{"),
    ] { try folder.write(document, to: "contexts/meta/\(id)/meta.json") }
    try folder.write("", to: "contexts/tls/2/docker/ca.pem")
    if let config { try folder.write(config, to: "config.json") }
    return folder
  }

  @Test("DOCKER_HOST goes before DOCKER_CONTEXT, and that before the context that was chosen")
  func contexts() throws {
    let folder = try configuration(#"{"currentContext": "near"}"#)
    func endpoint(_ variables: [String: String]) throws -> DockerEndpoint {
      try DockerEndpoint.ofEnvironment { variables.merging(["DOCKER_CONFIG": folder.path]) { $1 }[$0] }
    }
    let certificates = "\(folder.path)/contexts/tls/2/docker"
    #expect(try endpoint([:]).place == .unix("/run/near.sock"))
    #expect(try endpoint(["DOCKER_CONTEXT": "tls"]).place == .tcp(server: "h:2376", certificates: certificates))
    #expect(try endpoint(["DOCKER_CONTEXT": "default"]) == .standard)
    #expect(
      try endpoint(["DOCKER_CONTEXT": "tls", "DOCKER_HOST": "tcp://g:1"]).place
        == .tcp(server: "g:1", certificates: nil))
    #expect(
      try endpoint(["DOCKER_HOST": "tcp://g:1", "DOCKER_TLS_VERIFY": "1", "HOME": "/root"]).place
        == .tcp(server: "g:1", certificates: folder.path))
  }

  @Test("DOCKER_CONFIG names another folder than ~/.docker, and a folder that is not there has chosen no context")
  func folder() throws {
    let (home, other) = (try TemporaryFolder(), try configuration(#"{"currentContext": "near"}"#))
    try home.write(#"{"currentContext": "none"}"#, to: ".docker/config.json")
    func endpoint(_ variables: [String: String]) throws -> DockerEndpoint {
      try DockerEndpoint.ofEnvironment { variables.merging(["HOME": home.path]) { $1 }[$0] }
    }
    #expect(throws: DockerError.self) { try endpoint([:]) }
    #expect(throws: DockerError.self) { try endpoint(["DOCKER_CONFIG": ""]) }
    #expect(try endpoint(["DOCKER_CONFIG": other.path]).place == .unix("/run/near.sock"))
    #expect(try endpoint(["DOCKER_CONFIG": "\(home.path)/none"]) == .standard)
  }

  @Test(
    "A context that is not there, that names no engine or wants no verification, and a broken file stand for no other engine",
    arguments: [
      ("gone", "{}", "has no context gone"), ("kubernetes", "{}", "names no engine"),
      ("blind", "{}", "nobody verifies"), ("", #"{"currentContext": "#, "no JSON"),
      ("", #"{"currentContext": "gone"}"#, "has no context gone"),
    ])
  func noContext(context: String, config: String, reason: String) throws {
    let folder = try configuration(config)
    let error = #expect(throws: DockerError.self) {
      try DockerEndpoint.ofEnvironment { ["DOCKER_CONFIG": folder.path, "DOCKER_CONTEXT": context][$0] }
    }
    #expect(error?.code == .endpointInvalid && error?.message.text.contains(reason) == true, "\(error as Any)")
  }
}
