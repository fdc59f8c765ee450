import Addresses
import FoundationEssentials
import Language
import Schema

/// The servers that a probe by hand is about.
struct ProbedServers {
  private let servers: [TURNServer]

  init(servers: [TURNServer]) { self.servers = servers }

  /// The server of the arguments, a target of the project, or TURN_SERVER, with the credentials that belong to it.
  init(uri: String?, target: String?, scheme: String, options: ProjectOptions) throws {
    guard let project = try options.loadIfThere() else {
      guard target == nil else {
        throw CommandFailure(.invalid, "--target names a target of a project; there is none here")
      }
      let environment = ProcessInfo.processInfo.environment
      servers = [try Self.server(uri ?? Self.secureServer(scheme, environment), scheme, environment)]
      return
    }
    if let uri = uri ?? (target == nil ? Self.secureServer(scheme, project.environment) : nil) {
      servers = [try Self.server(uri, scheme, project.environment)]
    } else {
      do throws(Issues) { servers = try project.targets(selectedBy: target) } catch {
        throw Diagnostics(root: project.root).failure(error.all)
      }
    }
  }

  func all() throws -> [TURNServer] {
    guard !servers.isEmpty else {
      throw CommandFailure(.invalid, "no server: give a URI, or set TURN_SERVER in the environment or in .env")
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

  /// TURN_TLS_SERVER, as `lab exec` sets it, where the probe is about TLS.
  private static func secureServer(_ scheme: String, _ environment: [String: String]) -> String? {
    scheme == "turns" ? environment["TURN_TLS_SERVER"] : nil
  }

  private static func server(_ given: String?, _ scheme: String, _ environment: [String: String]) throws -> TURNServer {
    guard let given = given ?? environment["TURN_SERVER"], !given.isEmpty else {
      throw CommandFailure(.invalid, "no server: give a URI, or set TURN_SERVER in the environment or in .env")
    }
    // HOST, HOST:PORT and an IPv6 address are what people type.
    let candidates = [given, "\(scheme):\(given)", "\(scheme):[\(given)]"]
    guard let uri = candidates.first(where: { (try? ServerURI(parsing: $0)) != nil }),
      let host = (try? ServerURI(parsing: uri))?.host
    else {
      throw CommandFailure(
        .invalid, "\"\(given)\" is no server: write turn:turn.example.com:3478?transport=udp, HOST or HOST:PORT")
    }
    let secret = environment["TURN_SECRET"].map { Secret($0) }
    return TURNServer(
      name: host, uri: uri, host: host, username: environment["TURN_USERNAME"],
      credential: secret == nil ? environment["TURN_CREDENTIAL"].map { Secret($0) } : nil, secret: secret,
      ca: environment["TURN_CA"])
  }
}
