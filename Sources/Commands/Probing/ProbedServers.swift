import Addresses
import Language
import Schema

/// The servers that a probe by hand is about.
struct ProbedServers {
  private let servers: [TURNServer]

  /// TURN_TLS_SERVER of the environment or of `.env`, as `lab exec` sets it.
  private(set) var secureURI: String?

  init(servers: [TURNServer]) { self.servers = servers }

  /// The server of the arguments, a target of the project, or TURN_SERVER, with what belongs to it.
  init(uri: String?, target: String?, scheme: String, options: ProjectOptions) throws {
    let project = try options.loadIfThere()
    guard project != nil || target == nil else {
      throw CommandFailure(.invalid, "--target names a target of a project; there is none here")
    }
    let given = try uri.map { try Self.uri(completing: $0, scheme) }
    let folder = project?.root ?? options.surroundings.workingFolder
    let diagnostics = Diagnostics(root: folder)
    var warnings: [Issue] = []
    var secureURI = project?.environment[Self.secureName]
    let takesSecure = scheme == "turns"
    do throws(Issues) {
      if let project, given == nil, target != nil || !takesSecure || secureURI == nil {
        servers = try project.targets(selectedBy: target) { warnings.append($0) }
      } else {
        let server = try Project.server(
          namedIn: folder, options.surroundings,
          choosing: { environment in
            secureURI = environment[Self.secureName]
            return given ?? (takesSecure ? secureURI : nil)
          },
          warn: { warnings.append($0) })
        servers = [server].compactMap(\.self)
      }
    } catch {
      throw diagnostics.failure(error.all)
    }
    self.secureURI = secureURI
    if !warnings.isEmpty { diagnostics.show(warnings) }
  }

  func all() throws -> [TURNServer] {
    guard !servers.isEmpty else {
      throw CommandFailure(
        .invalid, "no server: give a URI, set TURN_SERVER in the environment or in .env, or name a project's --target")
    }
    return servers
  }

  func single() throws -> TURNServer {
    let servers = try all()
    guard servers.count == 1 else {
      throw CommandFailure(.invalid, "\(servers.count) targets were chosen, and this probe takes one")
    }
    return servers[0]
  }

  private static let secureName = "TURN_TLS_SERVER"

  /// HOST, HOST:PORT and an IPv6 address are what people type.
  private static func uri(completing given: String, _ scheme: String) throws -> String {
    let candidates = [given, "\(scheme):\(given)", "\(scheme):[\(given)]"]
    if let uri = candidates.first(where: { (try? ServerURI(parsing: $0)) != nil }) { return uri }
    let isURI = ServerURI.Scheme.allCases.contains { given.lowercased().hasPrefix("\($0.rawValue):") }
    do { return try ValueType.turnURI.parse(isURI ? given : "\(scheme):\(given)").plainText } catch {
      throw CommandFailure(.invalid, error.message, advice: "HOST and HOST:PORT are taken as well")
    }
  }
}
