import Schema

/// Which container is meant: one, by its exact name or an unambiguous id, or by project and service of Compose.
package struct ContainerChoice: Hashable, Sendable {
  /// A name, or an id of 12 characters or more.
  package var container: String?
  package var project: String?
  package var service: String?

  package init(container: String?, project: String?, service: String?) {
    self.container = container
    self.project = project
    self.service = service
  }

  /// As many characters of an id as `docker ps` shows.
  package static let shortestID = 12

  /// The one that is meant.
  ///
  /// - Throws: `noContainer`, `ambiguousContainer`, `idTooShort`, `otherProject`.
  package func one(of all: [ContainerSummary], at engine: DockerEndpoint) throws(DockerError) -> ContainerSummary {
    guard let container else { return try oneOfService(all, at: engine) }
    let named = all.filter { $0.names.contains(container) }
    let identified = Self.isID(container) ? all.filter { $0.id.hasPrefix(container) } : []
    let found = named + identified.filter { !named.contains($0) }
    guard let first = found.first else { throw notThere(container, all, engine) }
    guard found.count == 1 else {
      throw DockerError(
        .ambiguousContainer, "\(container) stands for \(found.count) containers: \(Self.list(found))",
        advice: "Give the whole id of the one that is meant.")
    }
    guard named.count == 1 || container.utf8.count >= Self.shortestID else {
      throw DockerError(
        .idTooShort, "\(container) is the beginning of an id, of \(first.name)",
        advice:
          "Give the name, or at least \(Self.shortestID) characters of the id: a shorter one can be another's tomorrow."
      )
    }
    try require(first)
    return first
  }

  private static func isID(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// The container must be of the project and the service that are given besides.
  private func require(_ found: ContainerSummary) throws(DockerError) {
    let place = found.compose
    guard (project == nil || project == place?.project) && (service == nil || service == place?.service) else {
      let actual: Sentence =
        if let place { "the service \(place.service) of the project \(place.project)" } else { "no Compose project" }
      throw DockerError(
        .otherProject, "\(found.name) belongs to \(actual), and not to \(wanted)",
        advice: "Look which container is meant: docker ps --format '{{.Names}} {{.Labels}}'.")
    }
  }

  private var wanted: Sentence {
    switch (service, project) {
    case (let service?, let project?): "the service \(service) of the project \(project)"
    case (let service?, nil): "a service \(service)"
    case (nil, let project?): "the project \(project)"
    case (nil, nil): "any service"
    }
  }

  /// The containers of the service, those of `compose run` left out.
  package func ofService(_ all: [ContainerSummary]) -> [ContainerSummary] {
    all.filter { summary in
      guard let place = summary.compose, !place.isOneOff else { return false }
      return place.service == service && (project == nil || place.project == project)
    }.sorted { ($0.compose?.number ?? 0, $0.name) < ($1.compose?.number ?? 0, $1.name) }
  }

  private func oneOfService(
    _ all: [ContainerSummary], at engine: DockerEndpoint
  ) throws(DockerError) -> ContainerSummary {
    let found = ofService(all)
    guard let first = found.first else {
      let services = Set(all.compactMap { $0.compose.map { "\($0.project)/\($0.service)" } }).sorted()
      throw DockerError(
        .noContainer, "no container of \(wanted) is known to the engine at \(engine.name)",
        advice: services.isEmpty
          ? "No container there was made by Compose: give its name with `container`."
          : "There are, as PROJECT/SERVICE: \(services.joined(separator: ", ")).")
    }
    guard found.count == 1 else {
      throw DockerError(
        .ambiguousContainer, "\(wanted) has \(found.count) containers: \(Self.list(found))",
        advice: "Give `container`, with the name of the one that is meant, or `project` if several have the service.")
    }
    return first
  }

  private func notThere(_ name: String, _ all: [ContainerSummary], _ engine: DockerEndpoint) -> DockerError {
    let names = all.flatMap(\.names)
    let advice: Sentence =
      if let near = nearName(to: name, among: names) {
        "There is one named \(near)."
      } else if names.isEmpty {
        "There is no container at all: is this the right host and engine (DOCKER_HOST)?"
      } else {
        "Only exact names and ids count. There are: \(names.sorted().prefix(20).joined(separator: ", "))."
      }
    return DockerError(
      .noContainer, "no container is named \(name), and none has that id, at the engine \(engine.name)", advice: advice)
  }

  private static func list(_ found: [ContainerSummary]) -> String {
    found.map { "\($0.name) (\($0.id.prefix(shortestID)))" }.joined(separator: ", ")
  }
}
