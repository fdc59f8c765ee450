import Docker
import Glibc
import Journal
import Processes
import Schema
import Steps

/// Which container of which engine a step is about.
struct DockerTarget {
  var choice: ContainerChoice
  /// As `DOCKER_HOST` names it; the environment's if nil.
  var engine: String?
  var certificates: String?

  init(container: String?, project: String?, service: String?, engine: String?, certificates: String?) {
    choice = ContainerChoice(container: container, project: project, service: service)
    self.engine = engine
    self.certificates = certificates
  }

  /// Why no container can be found by what is given; nil if one may be.
  var objection: Finding? {
    guard choice.container?.isEmpty == false || choice.service?.isEmpty == false else {
      return Finding(
        "docker.noTarget", "the step names no container",
        advice: "Give `container`, or `service` and `project` of Compose.")
    }
    return engineObjection
  }

  var engineObjection: Finding? {
    guard let engine else { return nil }
    do throws(DockerError) { _ = try DockerEndpoint(engine, certificates: certificates) } catch {
      return Finding(error)
    }
    return nil
  }

  /// For as long as the step goes on: the folder of docker's configuration may lie on a file system that does not answer.
  private func endpoint() async throws(DockerError) -> DockerEndpoint {
    if let engine { return try DockerEndpoint(engine, certificates: certificates) }
    let look = await onAbandonedThread { () -> Result<DockerEndpoint, DockerError> in
      Result { () throws(DockerError) in
        try DockerEndpoint.ofEnvironment { name in
          getenv(name).map { String(cString: $0) } ?? (name == "HOME" ? CleanEnvironment.variables()["HOME"] : nil)
        }
      }
    }
    guard let look else {
      throw DockerError(
        .interrupted, "docker's configuration did not answer in time",
        advice: "Look at the file system of the folder that DOCKER_CONFIG names, or of ~/.docker; or set DOCKER_HOST.")
    }
    return try look.get()
  }

  /// The engine, with a way to it.
  func reachedEngine(by deadline: ContinuousClock.Instant) async throws(DockerError) -> DockerEngine {
    let endpoint = try await endpoint()
    guard case .ssh(let destination) = endpoint.place else { return DockerEngine(endpoint) }
    let tunnel = try await DockerTunnel(to: destination, by: deadline)
    return DockerEngine(endpoint, through: tunnel.socket, keptBy: tunnel)
  }

  /// Finds the container, and looks at it once.
  func look(by deadline: ContinuousClock.Instant) async throws(DockerError) -> ContainerLook {
    let engine = try await reachedEngine(by: deadline)
    let summary = try choice.one(of: try await engine.containers(by: deadline), at: engine.endpoint)
    let found = try await engine.container(summary.id, by: deadline)
    return ContainerLook(engine: engine, container: found.container, time: found.time)
  }
}

/// One look at a container.
struct ContainerLook: Sendable {
  let engine: DockerEngine
  let container: Container
  /// By the engine's clock.
  let time: Timestamp?
}

/// Fields that every module of this kind has.
enum DockerFields {
  static func container<Input>(_ path: any KeyPath<Input, String?> & Sendable) -> Field<Input, String?> {
    Field("container", path, .optional(.string), "Its exact name, or its id from 12 characters on.")
  }

  static func project<Input>(_ path: any KeyPath<Input, String?> & Sendable) -> Field<Input, String?> {
    Field("project", path, .optional(.string), "The Compose project that it belongs to.")
  }

  static func service<Input>(_ path: any KeyPath<Input, String?> & Sendable) -> Field<Input, String?> {
    Field("service", path, .optional(.string), "The service of Compose that it belongs to, in place of a name.")
  }

  static func engine<Input>(_ path: any KeyPath<Input, String?> & Sendable) -> Field<Input, String?> {
    Field(
      "engine", path, .optional(.string),
      "The engine, as DOCKER_HOST names one; that of the environment or of docker's context, else unix:///var/run/docker.sock."
    )
  }

  static func certificates<Input>(_ path: any KeyPath<Input, String?> & Sendable) -> Field<Input, String?> {
    Field(
      "certificates", path, .optional(.path),
      "The folder of ca.pem, cert.pem and key.pem for the `engine`, which is asked over TLS then.")
  }
}

extension StepContext {
  /// Early enough before the deadline to say what is missing.
  var requestDeadline: ContinuousClock.Instant { deadline - min(.milliseconds(500), remaining / 10) }
}

extension Finding {
  init(_ error: DockerError) {
    self.init("docker.\(error.code.rawValue)", error.message, advice: error.advice.isEmpty ? nil : error.advice)
  }
}

extension StepError {
  /// How far a step had come when the engine failed it.
  enum DockerProgress {
    /// It only looks.
    case looking
    /// It wants to change something, and has not asked for it.
    case changeNotBegun
    /// It has asked for a change.
    case changeBegun
  }

  init(_ error: DockerError, _ progress: DockerProgress) {
    let kind: Kind =
      switch (progress, error.code) {
      case (.changeNotBegun, _): .notStarted
      case (.looking, .noContainer), (.looking, .otherProject): .failed
      case (_, .interrupted): .interrupted
      case (.looking, _): .broken
      // The request went out, and nobody knows what became of it.
      case (.changeBegun, .engineSilent), (.changeBegun, .connectionLost), (.changeBegun, .notAnEngine): .interrupted
      case (.changeBegun, .refused), (.changeBegun, .noContainer): .failed
      // There was no connection.
      case (.changeBegun, _): .notStarted
      }
    self.init(kind, Finding(error))
  }
}
