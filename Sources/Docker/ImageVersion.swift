package import Schema

/// One image of an engine.
package struct EngineImage: Hashable, Sendable {
  package let id: String
  /// `repository@sha256:…`, for each registry that it was pulled from or pushed to.
  package let digests: [String]
  package let created: Timestamp?
}

/// The name of an image: where it lies, and which one it is there.
package struct ImageName: Hashable, Sendable {
  /// Without tag and digest, as it is written.
  package let repository: String
  package let tag: String?
  package let digest: String?

  package init(_ text: String) {
    var rest = text[...]
    var digest: String?
    if let at = rest.firstIndex(of: "@") {
      digest = String(rest[rest.index(after: at)...])
      rest = rest[..<at]
    }
    // A colon before a slash belongs to the port of the registry.
    let name = rest.lastIndex(of: "/").map { rest.index(after: $0) } ?? rest.startIndex
    var tag: String?
    if let colon = rest[name...].firstIndex(of: ":") {
      tag = String(rest[rest.index(after: colon)...])
      rest = rest[..<colon]
    }
    repository = String(rest)
    self.tag = tag
    self.digest = digest
  }
}

extension DockerEngine {
  /// An image of the engine, by its name; nil if it has none of that name.
  package func image(_ name: String, by deadline: ContinuousClock.Instant) async throws(DockerError) -> EngineImage? {
    let json: JSON
    do throws(DockerError) {
      json = try await document("/images/\(name.percentEncodedPath)/json", by: deadline).json
    } catch {
      guard error.status == 404 else { throw error }
      return nil
    }
    guard let id = json["Id"]?.string else { throw notAnEngine("what it says of an image cannot be read") }
    return EngineImage(
      id: id, digests: (json["RepoDigests"]?.array ?? []).compactMap(\.string),
      created: json["Created"]?.string.flatMap(Timestamp.init(engine:)))
  }

  /// The digest that the registry has for a name now. The engine asks it, by its own configuration.
  ///
  /// - Throws: `registryRefused`.
  package func registryDigest(
    of name: String, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> String {
    let json: JSON
    do throws(DockerError) {
      json = try await document("/distribution/\(name.percentEncodedPath)/json", by: deadline).json
    } catch {
      guard error.code == .refused else { throw error }
      throw DockerError(
        .registryRefused, "the registry does not tell which image \(name) is: \(error.engineWords)",
        advice: "Look at the name, and whether the engine's host reaches the registry and need not log in there.",
        status: error.status)
    }
    guard let digest = json["Descriptor"]?["digest"]?.string else {
      throw notAnEngine("what it says of an image in its registry cannot be read")
    }
    return digest
  }

  /// The id of the image that a name stands for now; nil if this engine has none of that name.
  package func imageID(of name: String, by deadline: ContinuousClock.Instant) async throws(DockerError) -> String? {
    try await image(name, by: deadline)?.id
  }
}
