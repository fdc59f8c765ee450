import Addresses
import Modules
import Schema
import Steps

/// What is probed, by the name that people give it.
struct ProbeKind {
  let module: AnyStepModule
  /// Of a URI that names none.
  let scheme: ServerURI.Scheme

  private static let short = ["stun": "stun.binding", "turn": "turn.relay", "tls": "tls.handshake"]

  static var names: [String] {
    ["stun", "turn", "tls"] + Catalog.standard.names.filter(isAboutServers)
  }

  private static func isAboutServers(_ name: String) -> Bool {
    ["stun.", "turn.", "tls."].contains { name.hasPrefix($0) }
  }

  init(named name: String) throws {
    let full = Self.short[name] ?? name
    guard Self.isAboutServers(full), let module = Catalog.standard[full] else {
      let isOther = Catalog.standard[name] != nil
      let hint =
        isOther
        ? "\(name) is a module for runbooks; probes are \(Self.names.joined(separator: ", "))"
        : nearName(to: name, among: Self.names).map { "did you mean \($0)?" } ?? Self.names.joined(separator: ", ")
      throw CommandFailure(.invalid, "there is no probe \"\(name)\"", advice: hint)
    }
    self.module = module
    scheme = full.hasPrefix("stun.") ? .stun : full.hasPrefix("tls.") ? .turns : .turn
  }
  /// The inputs that -p gives: all but the servers.
  var inputs: [FieldDeclaration] { module.input.fields.filter { !Self.serverInputs.contains($0.name) } }

  /// The inputs that a URI or targets give.
  static let serverInputs = ["server", "servers"]
}
