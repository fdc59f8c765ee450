import Docker
package import Journal
package import Schema
package import Steps

/// Whether a newer image is to be had.
package struct DockerImage: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var image: String?
    package var engine: String?
    package var certificates: String?

    fileprivate var target: DockerTarget {
      DockerTarget(
        container: container, project: project, service: service, engine: engine, certificates: certificates)
    }
  }

  package struct Output: Hashable, Sendable {
    package var image: String
    package var id: String?
    package var created: Timestamp?
    package var digest: String?
    package var registryDigest: String?
    package var pinned: Bool
    package var newer: Bool
    package var containerOutdated: Bool
  }

  package static let declaration = ModuleDeclaration(
    "docker.image", "Whether a registry has a newer image than the engine, or the engine than the container.",
    discussion: """
      Given a `container`, it looks at the image that this was made from; given an `image`, at that. The engine asks the registry which image
      the name stands for there. Nothing is pulled.

      `newer` is a warning (`docker.newerImage`): pull it, and make the container anew. `containerOutdated` is one too: the newer image is here,
      and the container still runs the older one, which a restart does not change. An image that is named by its digest never changes.

      An image that was never pulled from a registry cannot be compared: that is an error, as is a registry that does not answer.
      """,
    effect: .observe, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      DockerFields.container(\.container),
      DockerFields.project(\.project),
      DockerFields.service(\.service),
      Field("image", \.image, .optional(.string), "The name of an image, in place of a container."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: Record(
      Output.init,
      Field("image", \.image, .string, "The image's name."),
      Field(
        "id", \.id, .optional(.string), "The id of the image that the engine has of that name; absent: it has none."),
      Field("created", \.created, .optional(.timestamp), "When that was made."),
      Field("digest", \.digest, .optional(.string), "Its digest in the registry that it came from."),
      Field(
        "registryDigest", \.registryDigest, .optional(.string), "The digest that the registry has for the name now."),
      Field("pinned", \.pinned, .bool, "Whether the name holds a digest: then there is nothing newer."),
      Field("newer", \.newer, .bool, "Whether the registry has another image than the engine."),
      Field(
        "containerOutdated", \.containerOutdated, .bool,
        "Whether the container has another image than the engine by now.")
    ),
    examples: [
      .init("The container has the newest image of its name", with: "container: coturn"),
      .init("The engine has the newest image", with: "image: coturn/coturn:4.6"),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard let image = input.image else { return input.target.objection }
    guard input.container == nil, input.service == nil else {
      return Finding(
        "docker.twoTargets", "the step names both a container and an image", advice: "Give one of them.")
    }
    guard !image.isEmpty else { return Finding("docker.noTarget", "the step names no image", advice: "Give `image`.") }
    return input.target.engineObjection
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    do throws(DockerError) { return try await look(input, by: context.requestDeadline) } catch {
      throw StepError(error, .looking)
    }
  }

  private func look(
    _ input: Input, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> StepResult<Output> {
    let engine: DockerEngine
    let text: String
    var container: Container?
    if let image = input.image {
      engine = try await input.target.reachedEngine(by: deadline)
      text = image
    } else {
      let look = try await input.target.look(by: deadline)
      (engine, text, container) = (look.engine, look.container.image, look.container)
    }
    let name = ImageName(text)
    let local = try await engine.image(text, by: deadline)
    let isOutdated = container.map { container in local.map { $0.id != container.imageID } ?? false } ?? false
    var output = Output(
      image: text, id: local?.id, created: local?.created, digest: local?.digest(of: name), registryDigest: nil,
      pinned: name.digest != nil, newer: false, containerOutdated: isOutdated)
    guard name.digest == nil else { return .done(output) }
    if text.hasPrefix("sha256:") || local != nil && output.digest == nil {
      throw DockerError(
        .imageNotPulled, "\(text) was not pulled from a registry: whether there is a newer one cannot be told",
        advice: "Look how it was made. One that is built here is newer when it is built anew.")
    }
    let digest = try await engine.registryDigest(of: text, by: deadline)
    output.registryDigest = digest
    output.newer = output.digest != digest
    if output.newer {
      return .warned(
        output,
        Finding(
          "docker.newerImage",
          local == nil
            ? "the engine does not have the image \(text), which its registry has"
            : "the registry has another image for \(text) than the engine",
          advice:
            "Read what has changed, and pull it (docker pull \(text)). When few calls run, since every call ends, make the container anew: a restart does not apply it."
        ))
    }
    guard isOutdated else { return .done(output) }
    return .warned(
      output,
      Finding(
        "docker.configurationNotApplied", "\(container?.name ?? text) runs an older image than \(text) is by now",
        advice: "Make the container anew: a restart does not apply it."))
  }
}

extension EngineImage {
  /// The digest that it has in the repository of a name; nil if it is of none.
  fileprivate func digest(of name: ImageName) -> String? {
    let repositories =
      [name.repository, "docker.io/\(name.repository)", "docker.io/library/\(name.repository)"]
      + ["docker.io/library/", "docker.io/"].compactMap { prefix in
        name.repository.hasPrefix(prefix) ? String(name.repository.dropFirst(prefix.count)) : nil
      }
    for digest in digests {
      let parts = digest.split(separator: "@")
      if parts.count == 2, repositories.contains(String(parts[0])) { return String(parts[1]) }
    }
    return nil
  }
}
