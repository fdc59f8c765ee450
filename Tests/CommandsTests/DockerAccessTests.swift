import Foundation
import Glibc
import Processes
import Synchronization
import TestSupport
import Testing

/// How the command line reaches a Docker engine: by DOCKER_HOST, by a context, through ssh, and as a user who may not.
@Suite("Ways to a Docker engine", .serialized, .timeLimit(.minutes(3)))
struct DockerAccessTests {
  private let project: CommandLineProject
  private let lab: DockerLab
  private var root: String { project.root }

  init() throws {
    project = try CommandLineProject(isEmpty: true)
    lab = try DockerLab.engine()
    try project.write("runbook.yaml", "project: test\n")
    try project.write(
      "runbooks/look.yaml",
      """
      runbook: look
      title: Look at the containers
      allow: [observe]
      params:
        container: {type: string, doc: Which one}
      steps:
        - id: look
          use: docker.inspect
          with: {container: "${params.container}", window: 0s}

      """)
  }

  @Test("DOCKER_HOST names the engine, and the check that ships uses it")
  func environment() async throws {
    let container = try lab.container("coturn")
    let arguments = ["run", "look", "-p", "container=\(container.name)"]
    let found = try await project.runbook(arguments, environment: ["DOCKER_HOST": lab.engine])
    #expect(found.status == 0, "\(found)")
    let elsewhere = try await project.runbook(arguments, environment: ["DOCKER_HOST": "unix://\(root)/none.sock"])
    #expect(elsewhere.status == 3 && elsewhere.stdout.contains("docker.noEngine"), "\(elsewhere)")
  }

  @Test("Contexts of docker, with TLS and without, are found in the folder that DOCKER_CONFIG names")
  func contexts() async throws {
    let container = try lab.container("coturn")
    let chains = try CertificateChains()
    try chains.make("ca", .authority)
    try chains.make("server", .server("IP:127.0.0.1"), by: "ca", start: "-1h", days: 5)
    let server = try NginxServer(
      certificate: (chains.file("server.pem"), chains.file("server.key")),
      locations: "location / { proxy_pass http://unix:\(lab.socket):; }")
    let files = "ca=\(chains.file("ca.pem")),cert=\(chains.file("server.pem")),key=\(chains.file("server.key"))"
    try await shell(
      """
      export DOCKER_CONFIG=$PWD/docker
      docker context create near --docker host=\(lab.engine)
      docker context create tls --docker "host=tcp://127.0.0.1:\(server.tlsPort),\(files)"
      """)
    func look(_ variables: [String: String]) async throws -> CommandLineProject.Output {
      try await project.runbook(
        ["run", "look", "-p", "container=\(container.name)"],
        environment: variables.merging(["DOCKER_CONFIG": "\(root)/docker", "HOME": root]) { own, _ in own })
    }
    for context in ["near", "tls"] {
      let found = try await look(["DOCKER_CONTEXT": context])
      #expect(found.status == 0, "\(context): \(found)")
    }
    let gone = try await look(["DOCKER_CONTEXT": "near", "DOCKER_CONFIG": ""])
    #expect(gone.status == 3 && gone.stdout.contains("docker has no context near"), "\(gone)")
    try await shell("DOCKER_CONFIG=$PWD/docker docker context use tls")
    let chosen = try await look([:])
    #expect(chosen.status == 0, "\(chosen)")
  }

  @Test("Compose is found among the plugins of the folder that DOCKER_CONFIG names")
  func plugin() async throws {
    let compose = try LabComposeProject(lab, service: "command: [sleep, '600']")
    // Compose 1 in the place of Compose 2, which is not packaged.
    try await shell(
      """
      mkdir -p docker/cli-plugins
      cat >docker/cli-plugins/docker-compose <<'END'
      #!/bin/sh
      if [ "$1" = docker-cli-plugin-metadata ]; then
        echo '{"SchemaVersion": "0.1.0", "Vendor": "test", "Version": "1"}'
        exit
      fi
      shift
      echo "$*" >>\(root)/called
      exec docker-compose "$@"
      END
      chmod +x docker/cli-plugins/docker-compose
      """)
    try project.write(
      "runbooks/scale.yaml",
      """
      runbook: scale
      title: Two containers
      allow: [change]
      steps:
        - {id: scale, use: docker.scale, with: {project: \(compose.name), service: turn, replicas: 2}, expect: [output.after == 2]}

      """)
    let scaled = try await project.runbook(
      ["run", "scale"], environment: ["DOCKER_HOST": lab.engine, "DOCKER_CONFIG": "\(root)/docker"])
    #expect(scaled.status == 0, "\(scaled)")
    #expect(try compose.containers.count == 2)
    #expect(try project.read("called").contains("--scale turn=2"))
  }

  @Test("A user who may not use the socket is told so, and what to do")
  func permission() async throws {
    try #require(geteuid() == 0)
    chmod(lab.socket, 0o660)
    let state = "/tmp/runbook-nobody-\(UInt32.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: state) }
    // A folder of nobody's own, with a copy of the project: that of the test may lie where nobody may look.
    let run = try await shell(
      """
      mkdir \(state); cp -r \(root)/runbook.yaml \(root)/runbooks \(state)/; chown -R nobody \(state); cd \(state)
      HOME=\(state) DOCKER_HOST=\(lab.engine) setpriv --reuid nobody --regid nogroup --clear-groups \
        \(CommandLineProject.executable) run look -p container=coturn 2>&1 || echo "exit $?"
      """)
    #expect(run.contains("docker.noPermission") && run.contains("exit 3"), "\(run)")
    #expect(run.contains("the group of the socket"), "\(run)")
  }

  @Test(
    "Through ssh to another host's socket; a host that does not let us in is told in ssh's words",
    .enabled(if: access("/usr/sbin/sshd", X_OK) == 0, "openssh-server is not installed: scripts/setup test"))
  func ssh() async throws {
    let container = try lab.container("coturn")
    let port = try freePort()
    // ssh looks for its configuration in the user's home, whatever HOME says: here a program of that name puts the test's own in its place.
    try await shell(
      """
      mkdir -p ssh bin; chmod 700 ssh
      for k in host user; do ssh-keygen -q -t ed25519 -N '' -f ssh/$k; done
      cp ssh/user.pub ssh/authorized; chmod 600 ssh/authorized
      printf '[127.0.0.1]:%s %s\\n' \(port) "$(cut -d' ' -f1,2 ssh/host.pub)" > ssh/known
      printf '#!/bin/sh\\nexec /usr/bin/ssh -F none -i %s -o UserKnownHostsFile=%s -o IdentitiesOnly=yes "$@"\\n' \
        "$PWD/ssh/user" "$PWD/ssh/known" > bin/ssh
      chmod +x bin/ssh; mkdir -p /run/sshd
      """)
    try project.write(
      "ssh/config",
      """
      Port \(port)
      ListenAddress 127.0.0.1
      HostKey \(root)/ssh/host
      AuthorizedKeysFile \(root)/ssh/authorized
      PidFile none
      UsePAM no
      StrictModes no
      PasswordAuthentication no
      PermitRootLogin yes

      """)
    let settings = "\(root)/ssh/config"
    let server = Task { try await Command("/usr/sbin/sshd", ["-D", "-e", "-f", settings]).run() }
    do {
      let end = ContinuousClock.now + .seconds(20)
      while isFree(port) { try #require(.now < end) }
      try await throughSSH(port, container)
    } catch {
      server.cancel()
      _ = try? await server.value
      throw error
    }
    server.cancel()
    _ = try await server.value
  }

  private func throughSSH(_ port: UInt16, _ container: LabContainer) async throws {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    func look() async throws -> CommandLineProject.Output {
      try await project.runbook(
        ["run", "look", "-p", "container=\(container.name)"],
        environment: ["DOCKER_HOST": "ssh://root@127.0.0.1:\(port)\(lab.socket)", "PATH": "\(root)/bin:\(path)"])
    }
    let found = try await look()
    #expect(found.status == 0, "\(found)")
    let end = ContinuousClock.now + .seconds(10)
    while try await shell("pgrep -f '[s]sh -F none.*\(root)/ssh/user' || true") != "" {
      try #require(.now < end, "ssh goes on behind the run")
    }
    try await shell(": > ssh/authorized")
    let refused = try await look()
    #expect(refused.status == 3 && refused.stdout.contains("docker.tunnelFailed"), "\(refused)")
    #expect(refused.stdout.contains("Permission denied"), "\(refused)")
  }

  @discardableResult
  private func shell(_ script: String) async throws -> String {
    let run = try await Command("sh", ["-ec", "cd \(root); \(script)"]).run()
    try #require(run.isSuccess, "\(run.standardError.text)")
    return run.standardOutput.text
  }
}
