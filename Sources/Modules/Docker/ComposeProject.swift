import Docker
import FoundationEssentials
import Glibc
import Journal
import Processes
import Schema
import Steps

/// A project of Compose, as the labels of its containers tell of it, and the program that acts on it.
struct ComposeProject: Sendable {
  let name: String
  /// Absolute.
  let files: [String]
  let folder: String?
  let endpoint: DockerEndpoint
  /// The program and its first words: `docker compose` or `docker-compose`, whichever is there.
  let program: [String]

  /// Nil if neither of the two programs is there.
  ///
  /// - Parameter files: in place of those that the labels name.
  init?(
    _ place: Container.ComposePlace, files: [String] = [], at endpoint: DockerEndpoint, in context: StepContext
  ) async {
    var found: [String]?
    for program in [["docker", "compose"], ["docker-compose"]] where found == nil {
      var command = Command(program[0], Array(program.dropFirst()) + ["version"])
      command.environment = Self.configuration
      command.timeout = .seconds(20)
      if (try? await command.run(in: context))?.isSuccess == true { found = program }
    }
    guard let found else { return nil }
    name = place.project
    folder = place.folder
    self.endpoint = endpoint
    program = found
    self.files = (files.isEmpty ? place.files : files).map { file in
      file.hasPrefix("/") ? file : place.folder.map { "\($0)/\(file)" } ?? file
    }
  }

  /// Where docker's plugins lie, such as Compose, and what logs in to registries.
  private static var configuration: [String: String] {
    guard let folder = getenv("DOCKER_CONFIG"), folder.pointee != 0 else { return [:] }
    return ["DOCKER_CONFIG": String(cString: folder)]
  }

  /// The first file that is not there; nil if all are.
  var missingFile: String? { files.first { !FileManager.default.fileExists(atPath: $0) } }

  /// Runs Compose on the project. Throws what keeps it from being started.
  func run(_ arguments: [String], in context: StepContext) async throws(ProcessError) -> ProcessResult {
    var words = Array(program.dropFirst()) + ["-p", name]
    for file in files { words += ["-f", file] }
    if let folder { words += ["--project-directory", folder] }
    var command = Command(program[0], words + arguments)
    command.environment = endpoint.environment.merging(Self.configuration) { own, _ in own }
    return try await command.run(in: context)
  }

  /// The hash of a service's configuration as its files give it now; nil if that cannot be told.
  ///
  /// - Parameter version: the Compose that made the hash to compare it with; another one's hashes differ for the same files.
  func configurationHash(
    of service: String, madeBy version: String?, in context: StepContext
  ) async -> String? {
    guard !files.isEmpty, missingFile == nil, let version, await self.version(in: context) == version,
      let result = try? await run(["config", "--hash", service], in: context), result.isSuccess
    else { return nil }
    for line in result.standardOutput.text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == service { return String(words[1]) }
    }
    return nil
  }

  private func version(in context: StepContext) async -> String? {
    var command = Command(program[0], Array(program.dropFirst()) + ["version", "--short"])
    command.environment = Self.configuration
    command.timeout = .seconds(20)
    guard let result = try? await command.run(in: context), result.isSuccess else { return nil }
    let text = result.standardOutput.text.prefix { !$0.isNewline }
    return String(text.hasPrefix("v") ? text.dropFirst() : text)
  }
}
