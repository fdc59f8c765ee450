import Files
import Glibc
import Schema

/// What docker(1) has been told: the folder that `DOCKER_CONFIG` names, with `config.json` and the contexts of `docker context`.
struct ClientConfiguration {
  let folder: String
  /// True if somebody named the folder, false for the one in the user's home.
  let isNamed: Bool

  /// The context that `docker context use` has chosen; nil if it has chosen none.
  ///
  /// - Throws: `endpointInvalid` if the file cannot be read: which engine is meant is not known then.
  func currentContext() throws(DockerError) -> String? {
    let path = "\(folder)/config.json"
    let bytes: [UInt8]
    do throws(FileError) { bytes = try Self.bytes(path) } catch {
      // Once root has logged in with this user's HOME, the file is root's. docker(1) goes on without it.
      let isAbsent = [ENOENT, ENOTDIR].contains(error.number) || (!isNamed && error.number == EACCES)
      guard !isAbsent else { return nil }
      throw Self.unreadable(path, "\(error.reason)")
    }
    guard let json = try? JSON(parsing: bytes) else { throw Self.unreadable(path, "it is no JSON") }
    return json["currentContext"]?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The engine of a context.
  ///
  /// - Throws: `endpointInvalid` if there is no such context, or if it wants TLS without verification.
  func endpoint(ofContext name: String) throws(DockerError) -> DockerEndpoint {
    let contexts = "\(folder)/contexts/meta"
    var ids: [String] = []
    do throws(FileError) { ids = try Folder(contexts, followingLinks: true).names() } catch {
      guard [ENOENT, ENOTDIR].contains(error.number) else { throw Self.unreadable(contexts, "\(error.reason)") }
    }
    for id in ids {
      // Some other context may be broken.
      guard let bytes = try? Self.bytes("\(contexts)/\(id)/meta.json"), let json = try? JSON(parsing: bytes),
        json["Name"]?.string == name
      else { continue }
      let docker = json["Endpoints"]?["docker"]
      guard let host = docker?["Host"]?.string, !host.isEmpty else {
        throw DockerError(
          .endpointInvalid, "the context \(name) of docker names no engine",
          advice: "Mend it (docker context update \(name) --docker host=…), or set DOCKER_HOST.")
      }
      let certificates = "\(folder)/contexts/tls/\(id)/docker"
      let isEncrypted = access(certificates, F_OK) == 0
      guard isEncrypted || docker?["SkipTLSVerify"] != true else {
        throw DockerError(
          .endpointInvalid, "the context \(name) of docker wants TLS with an engine whose certificate nobody verifies",
          advice: "Give it ca, cert and key: docker context update \(name) --docker host=…,ca=…,cert=…,key=…")
      }
      return try DockerEndpoint(host, certificates: isEncrypted ? certificates : nil)
    }
    throw DockerError(
      .endpointInvalid, "docker has no context \(name): none in \(folder) is called so",
      advice: "Look at `docker context ls`, at DOCKER_CONFIG and DOCKER_CONTEXT, or set DOCKER_HOST.")
  }

  private static func bytes(_ path: String) throws(FileError) -> [UInt8] {
    try File.read(path, limit: 1 << 20, followingLinks: true).bytes
  }

  private static func unreadable(_ path: String, _ reason: Sentence) -> DockerError {
    DockerError(
      .endpointInvalid, "which engine is meant cannot be told: \(path) cannot be read: \(reason)",
      advice: "Mend the file, or name the engine with DOCKER_HOST.")
  }
}
