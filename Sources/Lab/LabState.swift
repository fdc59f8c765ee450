package import Processes

/// Who wants the lab to be there.
package enum LabHolder: Hashable, Sendable {
  /// Somebody who started it by hand: it stays until it is taken down by hand.
  case person
  /// A process that needs it as long as it lives, such as a run.
  case process(ProcessIdentity)
}

/// A lab that runs, or of which something remains.
package struct LabState: Hashable, Sendable, Codable {
  /// `lab`, whose user has a long-term credential, and `lab-rest`, whose credentials derive from a secret.
  package internal(set) var targets: [LabTarget]
  /// Absolute.
  package let folder: String
  var keptByHand: Bool
  var users: [ProcessIdentity]

  init(folder: String) {
    self.folder = folder
    targets = []
    keptByHand = false
    users = []
  }

  /// Whether all its servers run.
  package var isComplete: Bool { !targets.isEmpty && targets.allSatisfy(\.server.process.isRunning) }

  /// Whether anybody who wants it is still there.
  package var isWanted: Bool { keptByHand || users.contains(where: \.isRunning) }

  /// That servers have died of which somebody wants the lab; nil if it is not so.
  var deathInUse: LabError? {
    let dead = targets.filter { !$0.server.process.isRunning }
    guard isWanted, !dead.isEmpty else { return nil }
    let names = dead.map { "\($0.name) (process \($0.server.process.pid))" }.joined(separator: " and ")
    return LabError(
      .serverDied,
      "\(dead.count == 1 ? "a server of the lab has" : "\(dead.count) servers of the lab have") died: \(names)")
  }

  /// What a program finds in its environment that is run against the lab: `TURN_SERVER`, `TURN_USERNAME`,
  /// `TURN_CREDENTIAL` of the first server, `TURN_TLS_SERVER` for it over TLS; `TURN_REST_SERVER`, `TURN_REST_SECRET` of the
  /// second; `TURN_CA`, the path of the certificate to trust.
  package var environment: [String: String] {
    var variables: [String: String] = [:]
    for target in targets {
      variables["TURN_CA"] = target.authority
      if let secret = target.secret {
        variables["TURN_REST_SERVER"] = target.uri(.udp)
        variables["TURN_REST_SECRET"] = secret
      } else {
        variables["TURN_SERVER"] = target.uri(.udp)
        variables["TURN_TLS_SERVER"] = target.uri(.tls)
        variables["TURN_USERNAME"] = target.username
        variables["TURN_CREDENTIAL"] = target.credential
      }
    }
    return variables
  }

  mutating func add(_ holder: LabHolder) {
    switch holder {
    case .person: keptByHand = true
    case .process(let process): if !users.contains(process) { users.append(process) }
    }
  }

  mutating func remove(_ holder: LabHolder) {
    switch holder {
    case .person: keptByHand = false
    case .process(let process): users.removeAll { $0 == process }
    }
    users.removeAll { !$0.isRunning }
  }
}
