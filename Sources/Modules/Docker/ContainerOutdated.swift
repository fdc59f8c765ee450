import Docker
import Schema
import Steps

/// What has changed since a container was made, so that a restart does not apply it.
enum ContainerOutdated {
  /// In words, one for each; empty if nothing has.
  static func reasons(
    _ look: ContainerLook, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> [String] {
    let container = look.container
    // Made from an id, it has no name that could stand for another image.
    guard container.image != container.imageID, !container.image.hasPrefix("sha256:") else { return [] }
    guard let current = try await look.engine.imageID(of: container.image, by: deadline) else {
      return ["the image \(container.image) is gone from the engine: the container cannot be made anew from it"]
    }
    guard current != container.imageID else { return [] }
    return [
      "\(container.image) is another image by now (\(short(current))); the container has \(short(container.imageID))"
    ]
  }

  /// The same, with what the files of Compose give now for a container that Compose made. What cannot be told is not among them.
  static func allReasons(
    _ look: ContainerLook, in context: StepContext
  ) async throws(DockerError) -> [String] {
    let reasons = try await reasons(look, by: context.requestDeadline)
    guard let place = look.container.compose, let made = place.configurationHash,
      let compose = await ComposeProject(place, at: look.engine.endpoint, in: context),
      let now = await compose.configurationHash(of: place.service, madeBy: place.version, in: context), now != made
    else { return reasons }
    return reasons + [
      "the files of Compose give the service \(place.service) another configuration than the container was made with"
    ]
  }

  private static func short(_ id: String) -> String {
    String((id.hasPrefix("sha256:") ? id.dropFirst(7) : id[...]).prefix(12))
  }
}
