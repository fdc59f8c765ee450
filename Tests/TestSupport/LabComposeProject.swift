import Foundation

/// A project of Compose 1 in the engine of ``DockerLab``, with the one service `turn`; taken down with the last reference to it.
package final class LabComposeProject {
  package let name: String
  /// Where its `docker-compose.yml` lies.
  package let folder: TemporaryFolder
  package let lab: DockerLab

  /// Starts it. Throws if Compose fails.
  ///
  /// - Parameters:
  ///   - service: a line of the service's definition, besides its image and its network.
  ///   - network: the network's mode.
  package init(_ lab: DockerLab, service: String, network: String = "none") throws {
    self.lab = lab
    name = lab.uniqueName("p")
    folder = try TemporaryFolder()
    try folder.write(
      """
      version: "2.4"
      services:
        turn:
          image: \(DockerLab.image)
          network_mode: \(network)
          \(service)

      """, to: "docker-compose.yml")
    try compose(["up", "-d"])
  }

  deinit { try? compose(["down", "-t", "0"]) }

  private func compose(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/docker-compose")
    process.arguments = ["-p", name] + arguments
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(["DOCKER_HOST": lab.engine]) { $1 }
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw DockerLab.Failure(description: "docker-compose \(arguments)") }
  }

  /// The whole ids of its containers, whether they run or not.
  package var containers: [String] { get throws { try list("{{.ID}}") } }

  /// The names of its containers, whether they run or not.
  package var containerNames: [String] { get throws { try list("{{.Names}}") } }

  private func list(_ template: String) throws -> [String] {
    let filter = "label=com.docker.compose.project=\(name)"
    return try lab.run(["ps", "-a", "--no-trunc", "--format", template, "--filter", filter]).text
      .split(separator: "\n").map(String.init)
  }
}
