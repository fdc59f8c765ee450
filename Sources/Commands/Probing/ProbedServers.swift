import Addresses
import Lab
import Language
import Schema

/// The servers that a probe by hand is about.
struct ProbedServers {
  private let servers: [TURNServer]
  /// What to say where there is none.
  private var advice: String?

  init(servers: [TURNServer]) { self.servers = servers }

  /// Servers of the lab.
  init(lab: LabState, target: String?) throws {
    do throws(Issues) { servers = try lab.targets(selectedBy: target) } catch {
      throw Diagnostics(root: lab.folder).failure(error.all)
    }
  }

  /// The server of the arguments, targets of the project, or TURN_SERVER, with what belongs to it.
  ///
  /// - Parameter project: nil if there is none.
  init(
    uri: String?, target: String?, scheme: ServerURI.Scheme, project: Project?, options: ProjectOptions
  ) throws {
    guard project != nil || target == nil else {
      throw CommandFailure(.invalid, "--target names a target of a project; there is none here")
    }
    let given = try uri.map { try Self.uri(completing: $0, scheme) }
    let surroundings = options.surroundings
    let folder = project?.root ?? surroundings.workingFolder
    let diagnostics = Diagnostics(root: folder)
    var warnings: [Issue] = []
    do throws(Issues) {
      if let project, given == nil {
        servers = try project.targets(selectedBy: target) { warnings.append($0) }
      } else {
        var server = try Project.server(namedIn: folder, surroundings, uri: given) { warnings.append($0) }
        // What was given for TLS is what is meant, right or wrong.
        if given != nil, scheme.isSecure { server?.tlsURI = nil }
        servers = [server].compactMap(\.self)
      }
    } catch {
      throw diagnostics.failure(error.all)
    }
    if servers.isEmpty { advice = Project.missingServerAdvice(in: folder, surroundings) }
    if !warnings.isEmpty { diagnostics.show(warnings) }
  }

  func all() throws -> [TURNServer] {
    guard !servers.isEmpty else {
      throw CommandFailure(
        .invalid, "no server: give a URI, set TURN_SERVER in the environment or in .env, or name a project's --target",
        advice: advice)
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

  /// HOST, HOST:PORT and an IPv6 address are what people type.
  private static func uri(completing given: String, _ scheme: ServerURI.Scheme) throws -> String {
    if (try? ServerURI(parsing: given)) != nil { return given }
    if let uri = ServerURI(scheme, address: given) { return uri.description }
    let hasScheme =
      given.contains("://") || ServerURI.Scheme.allCases.contains { given.lowercased().hasPrefix("\($0.rawValue):") }
    let text = hasScheme ? given : "\(scheme.rawValue):\(given)"
    do { return try ValueType.turnURI.parse(text).plainText } catch {
      throw CommandFailure(
        .invalid, error.message,
        advice: ServerURI.mistake(in: text)?.advice ?? "HOST and HOST:PORT are taken as well")
    }
  }
}
