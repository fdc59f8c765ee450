import Schema

/// Which program a server is, as far as its SOFTWARE attribute says: how its options are called follows from that.
package enum ServerProgram: Sendable, Hashable {
  case coturn
  /// ProcessOne's library, with which ejabberd and eturnal serve TURN.
  case p1stun
  /// Another one, by the name that it gives itself.
  case other(String)
  /// It does not say; coturn can be told not to.
  case unnamed

  /// - Parameter software: the value of SOFTWARE; nil if the server sent none.
  package init(software: String?) {
    guard let software, !software.isEmpty, software != "None" else {
      self = .unnamed
      return
    }
    let name = software.lowercased()
    if name.hasPrefix("coturn") {
      self = .coturn
    } else if ["p1 stun", "ejabberd", "eturnal"].contains(where: name.hasPrefix) {
      self = .p1stun
    } else {
      self = .other(software)
    }
  }

  /// Whether coturn's ways and options may be meant.
  package var mayBeCoturn: Bool { self == .coturn || self == .unnamed }

  /// Where the server is told which clients it gives no allocations.
  var adviceOnDeniedClients: Sentence {
    switch self {
    case .coturn, .unnamed: "Look whether the server is draining before a restart, or allows this user no allocations."
    case .p1stun:
      "Look whether the server's blacklist holds our address (ejabberd: turn_blacklist; eturnal: blacklist)."
    case .other(let name): "Look which clients the configuration of \(name) denies."
    }
  }

  /// Where the server is told how many allocations a user may have.
  var adviceOnQuotas: Sentence {
    switch self {
    case .coturn, .unnamed:
      "look at the server's quotas (coturn: user-quota, total-quota) and for allocations that were never deleted. "
        + ProbeFailure.adviceOnQuota
    case .p1stun:
      "look at the server's limit (ejabberd: turn_max_allocations; eturnal: max_allocations) and for allocations that were "
        + "never deleted."
    case .other(let name): "look at the limits of \(name), and for allocations that were never deleted."
    }
  }

  /// Where the server is told which peers it does not relay to.
  var adviceOnDeniedPeers: Sentence {
    switch self {
    case .coturn, .unnamed:
      "Look at the denied and allowed peer addresses in the server's configuration (coturn: denied-peer-ip, "
        + "allowed-peer-ip)."
    case .p1stun: "Look at the server's blacklist (ejabberd: turn_blacklist; eturnal: blacklist)."
    case .other(let name): "Look which peers the configuration of \(name) denies."
    }
  }
}

extension ProbeFailure {
  /// Who refused.
  package var program: ServerProgram { ServerProgram(software: evidence("software")) }
}
