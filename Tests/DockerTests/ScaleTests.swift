import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

extension DockerEngineTests {
  /// docker.scale with Compose, and docker.image with a registry.
  @Suite struct ScaleTests {
    let lab: DockerLab

    init() throws { lab = try DockerEngineTests.lab() }

    private static let sleeps = #"command: [/bin/sh, -c, "exec sleep 600"]"#

    @Test("A service gets a second container, and the undo takes away that one and no other")
    func upAndDown() async throws {
      let project = try LabComposeProject(lab, service: Self.sleeps)
      let first = try project.containers
      try #require(first.count == 1)
      let up = project.scale(("replicas", .int(2)))
      #expect(try await up.reconciled() == .notDone)
      let result = try await up()
      #expect(result.objection == nil)
      #expect(result.output["before"] == .int(1) && result.output["after"] == .int(2))
      guard case .list(let added)? = result.output["added"], case .string(let new)? = added.first else {
        Testing.Issue.record("nothing was added")
        return
      }
      #expect(added.count == 1 && new != first[0])
      #expect(try await up.reconciled().isDone)
      let undo = project.scale(("remove", .list(added)))
      #expect(try await undo.reconciled() == .notDone)
      #expect(try await undo().output["removed"] == .list([.string(new)]))
      #expect(try project.containers == first)
      #expect(try await undo.reconciled().isDone)
      // A second time there is nothing left to do.
      #expect(try await undo().output["removed"] == .list([]))
    }

    @Test("On the host's network two servers would divide the clients: refused, unless it is meant")
    func hostNetwork() async throws {
      let project = try LabComposeProject(lab, service: Self.sleeps, network: "host")
      let error = try await project.scale(("replicas", .int(2))).error()
      #expect(error.kind == .notStarted)
      #expect(error.finding.code == "docker.hostNetwork")
      #expect(try project.containers.count == 1)
      let meant = try await project.scale(("replicas", .int(2)), ("dividesClients", .bool(true)))()
      #expect(meant.output["after"] == .int(2))
    }

    @Test("What Compose makes and cannot start is removed, and the step fails")
    func unstartable() async throws {
      let project = try LabComposeProject(lab, service: Self.sleeps)
      try project.folder.write(
        project.folder.read("docker-compose.yml").replacing("/bin/sh", with: "/no/such/program"),
        to: "docker-compose.yml")
      let before = try project.containers
      let result = try await project.scale(("replicas", .int(2)))()
      #expect(result.objection?.finding.code == "docker.scaleFailed")
      #expect(try project.containers == before)
    }

    @Test("A restart that does not apply a changed file of Compose says so, and one before the change does not")
    func changedFile() async throws {
      let project = try LabComposeProject(lab, service: Self.sleeps)
      let container = try #require(try project.containers.first)
      var restart = DockerStep("docker.restart", lab, container: container, ("grace", .duration(.zero)))
      restart.timeout = .seconds(60)
      #expect(try await restart().objection == nil)
      try project.folder.write(
        project.folder.read("docker-compose.yml").replacing("sleep 600", with: "sleep 601"), to: "docker-compose.yml")
      let result = try await restart()
      #expect(result.objection?.finding.code == "docker.configurationNotApplied")
      #expect(result.objection?.finding.advice?.contains("-p \(project.name) up -d turn") == true)
      let look = try await DockerStep(
        "docker.inspect", lab, container: container, ("window", .duration(.zero)), ("configuration", .bool(true)))()
      #expect(look.output["outdated"] != .list([]))
    }

    @Test("The hash of another version of Compose tells nothing of whether the configuration has changed")
    func otherVersion() async throws {
      let project = try LabComposeProject(lab, service: Self.sleeps)
      for (version, isOutdated) in [("1.29.2", true), ("2.24.5", false)] {
        let labels = [
          "project=\(project.name)", "service=turn", "oneoff=False", "config-hash=other", "version=\(version)",
          "project.config_files=docker-compose.yml", "project.working_dir=\(project.folder.path)",
        ]
        let container = try lab.container(options: labels.flatMap { ["--label", "com.docker.compose.\($0)"] })
        let look = try await DockerStep(
          "docker.inspect", lab, container: container.name, ("window", .duration(.zero)), ("configuration", .bool(true))
        )()
        #expect((look.output["outdated"] != .list([])) == isOutdated, "\(version): \(look.output)")
      }
    }

    @Test("Without the file of Compose, or with a service that is not there, nothing is begun")
    func missing() async throws {
      let project = try LabComposeProject(lab, service: Self.sleeps)
      let text = project.folder.read("docker-compose.yml")
      try FileManager.default.removeItem(at: project.folder.url.appending(path: "docker-compose.yml"))
      let error = try await project.scale(("replicas", .int(2))).error()
      #expect(error.kind == .notStarted)
      #expect(error.finding.code == "docker.noComposeFile")
      try project.folder.write(text, to: "docker-compose.yml")
      var other = project.scale(("replicas", .int(2)))
      other.input = other.input.map { $0.name == "service" ? .init("service", .string("web")) : $0 }
      let missing = try await other.error()
      #expect(missing.finding.code == "docker.noContainer")
      #expect(missing.finding.advice?.contains("\(project.name)/turn") == true)
    }

    @Test("A service with a fixed published port is refused before anything is begun")
    func fixedPorts() async throws {
      // Without a bridge a published port cannot be had, so the container is made and never started.
      let name = lab.uniqueName("p")
      let container = lab.uniqueName("c")
      try lab.run(
        ["create", "--name", container, "-p", "13478:3478/udp"]
          + ["project=\(name)", "service=turn", "oneoff=False"].flatMap { ["--label", "com.docker.compose.\($0)"] }
          + [DockerLab.image, "/bin/sh"])
      defer { _ = try? lab.run(["rm", "-f", container], allowsFailure: true) }
      let step = DockerStep(
        "docker.scale", lab, ("project", .string(name)), ("service", .string("turn")), ("replicas", .int(2)))
      let error = try await step.error()
      #expect(error.finding.code == "docker.fixedPorts")
      #expect(error.finding.message.contains("13478/udp"))
    }

    @Test("A registry that has a newer image is told from one that has not")
    func images() async throws {
      let registry = try ImageRegistry()
      let name = "127.0.0.1:\(registry.port)/coturn:lab"
      try lab.run(["tag", DockerLab.image, name])
      defer { _ = try? lab.run(["rmi", "-f", name], allowsFailure: true) }
      try lab.run(["push", name])
      let step = DockerStep("docker.image", lab, ("image", .string(name)))
      let same = try await step()
      #expect(same.objection == nil)
      #expect(same.output["newer"] == .bool(false))
      #expect(same.output["digest"] == same.output["registryDigest"])
      // Somebody pushes another one, and this engine still has the first.
      let container = try lab.container()
      let other = "127.0.0.1:\(registry.port)/coturn:other"
      try lab.run(["commit", container.name, other])
      defer { _ = try? lab.run(["rmi", "-f", other], allowsFailure: true) }
      try lab.run(["tag", name, "keep:\(registry.port)"])
      try lab.run(["tag", other, name])
      try lab.run(["push", name])
      try lab.run(["tag", "keep:\(registry.port)", name])
      try lab.run(["rmi", "keep:\(registry.port)"])
      let newer = try await step()
      #expect(newer.objection?.severity == .warn)
      #expect(newer.objection?.finding.code == "docker.newerImage")
      #expect(newer.output["newer"] == .bool(true))
      #expect(newer.output["digest"] != newer.output["registryDigest"])
      let local = try await DockerStep("docker.image", lab, ("image", .string(DockerLab.image))).error()
      #expect(local.finding.code == "docker.imageNotPulled")
      let absent = try await DockerStep(
        "docker.image", lab, ("image", .string("127.0.0.1:\(registry.port)/none:1"))
      ).error()
      #expect(absent.kind == .broken)
      #expect(absent.finding.code == "docker.registryRefused")
    }
  }
}

/// A real registry of images on a free port of 127.0.0.1, ended with the last reference to it.
private final class ImageRegistry {
  let port: UInt16
  private let folder: TemporaryFolder
  private let process = Process()

  init() throws {
    port = try freePort()
    folder = try TemporaryFolder()
    try folder.write(
      """
      version: 0.1
      storage: {filesystem: {rootdirectory: \(folder.path)/images}}
      http: {addr: "127.0.0.1:\(port)"}

      """, to: "registry.yml")
    process.executableURL = URL(filePath: "/usr/bin/docker-registry")
    process.arguments = ["serve", "\(folder.path)/registry.yml"]
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    let end = ContinuousClock.now + .seconds(30)
    while isFree(port) {
      guard process.isRunning, .now < end else {
        throw DockerLab.Failure(description: "docker-registry does not listen")
      }
      usleep(20_000)
    }
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}

extension LabComposeProject {
  fileprivate func scale(_ members: (String, Value)...) -> DockerStep {
    var step = DockerStep(
      "docker.scale", lab, ("project", .string(name)), ("service", .string("turn")),
      ("grace", .duration(.seconds(0))))
    step.input += members.map { .init($0.0, $0.1) }
    return step
  }
}
