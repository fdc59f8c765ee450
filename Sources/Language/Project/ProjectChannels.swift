package import Notices
package import Schema
import Steps

extension Project {
  /// The names of the channels, in the order of their declaration.
  package var channelNames: [String] { channels.map(\.name) }

  /// The channels with their secrets.
  ///
  /// Throws every problem of a secret that is missing.
  /// - Parameter name: of the only channel that is wanted; nil for all.
  package func channelRoutes(only name: String? = nil) throws(Issues) -> ChannelRoutes {
    let log = IssueLog()
    let routes = channelRoutes(only: name, log: log)
    if log.hasErrors { throw Issues(log.sorted) }
    return routes
  }

  /// The channels of which every secret is there; nil if the project declares none. A run that needs them is not begun if a secret is
  /// missing.
  package var channelRoutesIfAny: ChannelRoutes? { channels.isEmpty ? nil : channelRoutes(log: IssueLog()) }

  /// A look at each of the secrets of the channels.
  package var channelSecrets: [SecretLook] {
    channels.flatMap(\.secretSources).map { look(for: $0, isOptional: false) }
  }

  func channelRoutes(only name: String? = nil, log: IssueLog) -> ChannelRoutes {
    let wanted = channels.filter { name == nil || $0.name == name }
    return ChannelRoutes(
      wanted.compactMap { $0.channel(environment, root: root, log: log) }, silences: silences, project: root)
  }

  static func channels(_ node: YAMLNode?, root: String, log: IssueLog) -> [ChannelDeclaration] {
    switch node {
    case .mapping(let mapping)?:
      if mapping.entries.isEmpty {
        log.error(
          "missing-value", "\"channels\" is empty", at: mapping.range,
          suggestion: "declare a channel, or leave \"channels\" out")
      }
      return mapping.entries.compactMap { ChannelDeclaration(name: $0.key, $0.value, root: root, log: log) }
    case .refused?, nil: return []
    case let node?:
      log.error("type-mismatch", "expected a mapping of names to channels, found \(node.kind)", at: node.range)
      return []
    }
  }
}

extension [PlannedStep] {
  /// Whether a step of them, or one inside, needs the service.
  func need(_ service: Service) -> Bool {
    contains { step in
      if case .call(let call) = step.body, call.module.services.contains(service) { return true }
      return step.body.steps.need(service) || step.undo.need(service)
    }
  }
}
