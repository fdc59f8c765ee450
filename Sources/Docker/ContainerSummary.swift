package import Schema

/// One line of an engine's list of containers (`GET /containers/json`).
package struct ContainerSummary: Hashable, Sendable {
  package var id: String
  /// Without the slash in front; those that links of other containers gave it are left out.
  package var names: [String]
  package var image: String
  package var status: Container.Status
  /// As `docker ps` says it: `Up 2 hours (healthy)`.
  package var statusText: String
  package var created: Timestamp?
  package var network: String
  package var compose: Container.ComposePlace?

  package var name: String { names.first ?? String(id.prefix(12)) }

  /// Nil if it is no such document.
  package init?(_ json: JSON) {
    guard let id = json["Id"]?.string else { return nil }
    self.id = id
    names = (json["Names"]?.array ?? []).compactMap(\.string)
      .map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 }.filter { !$0.contains("/") }
    image = json["Image"]?.string ?? ""
    status = json["State"]?.string.flatMap(Container.Status.init(rawValue:)) ?? .other
    statusText = json["Status"]?.string ?? ""
    created = json["Created"]?.int.flatMap { Timestamp(seconds: $0, nanoseconds: 0) }
    network = json["HostConfig"]?["NetworkMode"]?.string ?? ""
    var labels: [String: String] = [:]
    if case .object(let members)? = json["Labels"] {
      for member in members { labels[member.name] = member.value.string }
    }
    compose = Container.ComposePlace(labels: labels)
  }
}

extension DockerEngine {
  /// All containers that there are, whether they run or not.
  package func containers(by deadline: ContinuousClock.Instant) async throws(DockerError) -> [ContainerSummary] {
    let document = try await document("/containers/json", query: [("all", "1")], by: deadline)
    guard let list = document.json.array else { throw notAnEngine("its list of containers is none") }
    return try list.map { (json) throws(DockerError) in
      guard let summary = ContainerSummary(json) else { throw notAnEngine("its list of containers is none") }
      return summary
    }
  }

  /// One container, and the engine's clock.
  ///
  /// - Parameter id: the whole id, as the list has it: a shorter one, or a name, could be another's by now.
  package func container(
    _ id: String, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> (container: Container, time: Timestamp?) {
    let document: (json: JSON, time: Timestamp?)
    do throws(DockerError) { document = try await self.document("/containers/\(id)/json", by: deadline) } catch {
      guard error.status == 404 else { throw error }
      throw DockerError(
        .noContainer, "the container \(id.prefix(12)) is gone from the engine at \(endpoint.name)",
        advice: "Somebody removed it: look whether another has taken its place (docker ps -a).", status: 404)
    }
    guard let container = Container(document.json) else {
      throw notAnEngine("what it says of the container \(id.prefix(12)) cannot be read")
    }
    return (container, document.time)
  }
}
