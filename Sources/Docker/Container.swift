package import Schema

/// What an engine tells of one container (`GET /containers/ID/json`). Neither its environment nor its arguments are read: they hold secrets.
package struct Container: Hashable, Sendable {
  package enum Status: String, Hashable, Sendable, CaseIterable {
    case created
    case running
    case paused
    /// It ended, and the engine is about to start it again.
    case restarting
    case removing
    case exited
    /// It could not be removed, and cannot be started.
    case dead
    /// One that this version does not know.
    case other
  }

  /// What its health check says. Without a HEALTHCHECK there is none.
  package enum Health: String, Hashable, Sendable, CaseIterable {
    /// The check has neither passed nor failed often enough: it is not known.
    case starting
    case healthy
    case unhealthy
  }

  package struct ContainerMount: Hashable, Sendable {
    /// `bind`, `volume`, `tmpfs`.
    package var kind: String
    package var source: String
    package var destination: String
    package var isReadOnly: Bool
  }

  /// What Compose says of a container that it made, by labels.
  package struct ComposePlace: Hashable, Sendable {
    package var project: String
    package var service: String
    /// Which of the service's containers it is, from 1.
    package var number: Int?
    /// A hash over the service's configuration at the time when it was made.
    package var configurationHash: String?
    /// Which Compose made it, such as `2.24.5`: another one may hash the same configuration otherwise.
    package var version: String?
    /// The files of the project, absolute or relative to `folder`; empty if it does not tell.
    package var files: [String]
    package var folder: String?
    /// Whether it is a container of `compose run`, which is none of the service's own.
    package var isOneOff: Bool
  }

  package var id: String
  /// Without the slash in front.
  package var name: String
  /// What it was made from, as it was named then.
  package var image: String
  package var imageID: String
  package var status: Status
  /// Nil without a HEALTHCHECK, and while it does not run.
  package var health: Health?
  package var pid: Int?
  /// Nil if it never ran.
  package var startedAt: Timestamp?
  /// Nil if it has never ended.
  package var finishedAt: Timestamp?
  /// Nil if it has never ended.
  package var exitCode: Int?
  package var isOutOfMemory: Bool
  /// Why it could not be started; nil if it could.
  package var failure: String?
  /// How often the engine has started it anew by itself since somebody last started it.
  package var restarts: Int
  package var restartPolicy: String
  package var hasTerminal: Bool
  package var logDriver: String
  package var logOptions: [String: String]
  package var network: String
  /// Ports of the host that are its own, such as `3478/udp`: a second container with them cannot be started.
  package var fixedPorts: [String]
  package var mounts: [ContainerMount]
  /// Nil without one.
  package var memoryLimit: Int?
  /// How long it has between its stop signal and KILL; nil for the engine's 10 seconds.
  package var stopTimeout: Duration?
  package var compose: ComposePlace?

  package var shortID: String { String(id.prefix(12)) }

  package var isRunning: Bool { status == .running || status == .paused || status == .restarting }
}

extension Container {
  /// Nil if it is no such document.
  package init?(_ json: JSON) {
    guard let id = json["Id"]?.string, let name = json["Name"]?.string, let state = json["State"],
      let statusName = state["Status"]?.string, let config = json["Config"], let imageID = json["Image"]?.string
    else { return nil }
    let host = json["HostConfig"]
    let status = Status(rawValue: statusName) ?? Self.podmanStatus(statusName)
    let hasEnded = state["FinishedAt"]?.string.flatMap(Timestamp.init(engine:))
    let runs = status == .running || status == .paused
    var labels: [String: String] = [:]
    if case .object(let members)? = config["Labels"] {
      for member in members { labels[member.name] = member.value.string }
    }
    var logOptions: [String: String] = [:]
    if case .object(let members)? = host?["LogConfig"]?["Config"] {
      for member in members { logOptions[member.name] = member.value.string }
    }
    let failure = state["Error"]?.string ?? ""
    self.init(
      id: id, name: name.hasPrefix("/") ? String(name.dropFirst()) : name,
      image: config["Image"]?.string ?? imageID, imageID: imageID, status: status,
      health: runs ? state["Health"]?["Status"]?.string.flatMap(Health.init(rawValue:)) : nil,
      pid: state["Pid"]?.int.flatMap { $0 > 0 ? Int($0) : nil },
      startedAt: state["StartedAt"]?.string.flatMap(Timestamp.init(engine:)), finishedAt: hasEnded,
      // While it runs the engine says 0, which tells nothing.
      exitCode: hasEnded == nil || runs ? nil : state["ExitCode"]?.int.map { Int($0) },
      isOutOfMemory: state["OOMKilled"]?.bool ?? false, failure: failure.isEmpty ? nil : failure,
      restarts: Int(json["RestartCount"]?.int ?? 0),
      restartPolicy: host?["RestartPolicy"]?["Name"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "no",
      hasTerminal: config["Tty"]?.bool ?? false, logDriver: host?["LogConfig"]?["Type"]?.string ?? "",
      logOptions: logOptions, network: host?["NetworkMode"]?.string ?? "",
      fixedPorts: Self.fixedPorts(host?["PortBindings"]),
      mounts: (json["Mounts"]?.array ?? []).compactMap(ContainerMount.init),
      memoryLimit: host?["Memory"]?.int.flatMap { $0 > 0 ? Int($0) : nil },
      stopTimeout: config["StopTimeout"]?.int.map { .seconds($0) }, compose: ComposePlace(labels: labels))
  }

  /// Podman answers the same API with some words of its own.
  private static func podmanStatus(_ name: String) -> Status {
    switch name {
    case "configured", "initialized": .created
    case "stopped": .exited
    default: .other
    }
  }

  /// Those that name a port of the host; without one the engine takes any that is free.
  private static func fixedPorts(_ bindings: JSON?) -> [String] {
    guard case .object(let members)? = bindings else { return [] }
    return members.flatMap { member in
      (member.value.array ?? []).compactMap { binding -> String? in
        guard let port = binding["HostPort"]?.string, !port.isEmpty, port != "0", !port.contains("-") else {
          return nil
        }
        return "\(port)/\(member.name.split(separator: "/").last ?? "tcp")"
      }
    }.sorted()
  }
}

extension Container.ContainerMount {
  init?(_ json: JSON) {
    guard let destination = json["Destination"]?.string else { return nil }
    self.init(
      kind: json["Type"]?.string ?? "", source: json["Source"]?.string ?? "", destination: destination,
      isReadOnly: json["RW"]?.bool == false)
  }
}

extension Container.ComposePlace {
  /// Nil if Compose did not make it. The labels are the same in Compose 1 and 2, whereas names differ (`p_coturn_1`, `p-coturn-1`).
  package init?(labels: [String: String]) {
    func label(_ name: String) -> String? { labels["com.docker.compose.\(name)"] }
    guard let project = label("project"), let service = label("service") else { return nil }
    self.init(
      project: project, service: service, number: label("container-number").flatMap { Int($0) },
      configurationHash: label("config-hash"), version: label("version"),
      files: (label("project.config_files") ?? "").split(separator: ",").map(String.init),
      folder: label("project.working_dir"), isOneOff: label("oneoff")?.lowercased() == "true")
  }
}

extension Timestamp {
  /// A time as the engine writes it, in Go's form; nil for the year 1, which stands for never.
  package init?(engine text: String) {
    guard let time = Timestamp(text), time > .unixEpoch else { return nil }
    self = time
  }
}
