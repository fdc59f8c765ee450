import Docker
import Schema
import Testing

/// When a container counts as well, on answers as engines give them.
@Suite struct ContainerWatchTests {
  private static let start = "2026-11-28T23:00:00.5Z"

  /// An answer of `GET /containers/ID/json`.
  private func container(
    _ status: String, startedAt: String = start, restarts: Int = 0, health: String? = nil, exitCode: Int = 0,
    finishedAt: String = "0001-01-01T00:00:00Z"
  ) throws -> Container {
    let health = health.map { #", "Health": {"Status": "\#($0)", "FailingStreak": 0, "Log": []}"# } ?? ""
    return try #require(
      Container(
        try JSON(
          parsing: """
            {"Id": "\(String(repeating: "a", count: 64))", "Name": "/coturn", "Image": "sha256:1", "RestartCount": \(restarts),
             "State": {"Status": "\(status)", "Running": true, "ExitCode": \(exitCode), "StartedAt": "\(startedAt)",
              "FinishedAt": "\(finishedAt)"\(health)}, "Config": {"Image": "coturn:lab", "Tty": false}}
            """)))
  }

  private func time(_ seconds: Int64) throws -> Timestamp {
    let start = try #require(Timestamp(Self.start))
    return try #require(Timestamp(seconds: start.seconds + seconds, nanoseconds: 0))
  }

  @Test(
    "Running times health: starting is neither healthy nor unhealthy, and without a health check there is none",
    arguments: [
      (nil, ContainerCondition.running), ("none", .running), ("starting", .starting), ("healthy", .healthy),
      ("unhealthy", .unhealthy),
    ])
  func health(text: String?, condition: ContainerCondition) throws {
    var watch = ContainerWatch(window: .seconds(10))
    let container = try container("running", health: text)
    #expect(watch.take(container, time: try time(60), at: .now) == .settled(condition))
    #expect((container.health == nil) == (condition == .running))
  }

  @Test("What its health check said last says nothing once it does not run")
  func healthOfEnded() throws {
    let container = try container("exited", health: "healthy", exitCode: 1, finishedAt: "2026-11-28T23:10:00Z")
    #expect(container.health == nil)
    #expect(container.exitCode == 1)
    var watch = ContainerWatch(window: .seconds(10))
    #expect(watch.take(container, time: try time(60), at: .now) == .settled(.exited))
  }

  @Test("While it runs it has no exit code: the 0 that the engine says is none")
  func exitCode() throws {
    #expect(try container("running", finishedAt: "2026-11-28T22:00:00Z").exitCode == nil)
    #expect(try container("created", startedAt: "0001-01-01T00:00:00Z").exitCode == nil)
    #expect(try container("created", startedAt: "0001-01-01T00:00:00Z").startedAt == nil)
  }

  @Test("One that was started just now is watched until it has run for the whole window")
  func young() throws {
    var watch = ContainerWatch(window: .seconds(10))
    let now = ContinuousClock.now
    let container = try container("running")
    #expect(watch.take(container, time: try time(2), at: now) == .open(.milliseconds(500)))
    #expect(watch.take(container, time: try time(5), at: now + .seconds(3)) == .open(.milliseconds(500)))
    #expect(watch.take(container, time: try time(11), at: now + .seconds(9)) == .settled(.running))
  }

  @Test("A clock that says nothing, or that was put back, is made up for by watching")
  func clocks() throws {
    for age in [nil, -3600] as [Int64?] {
      var watch = ContainerWatch(window: .seconds(1))
      let now = ContinuousClock.now
      let moment = try age.map(time)
      #expect(watch.take(try container("running"), time: moment, at: now) == .open(.milliseconds(500)))
      #expect(watch.take(try container("running"), time: moment, at: now + .seconds(1)) == .settled(.running))
    }
  }

  @Test("A crash loop is told, though each look alone reads running and exit code 0")
  func flapping() throws {
    var watch = ContainerWatch(window: .seconds(10))
    #expect(watch.take(try container("running", restarts: 4), time: try time(1), at: .now) != .settled(.running))
    let next = try container("running", startedAt: "2026-11-28T23:00:03Z", restarts: 5)
    #expect(watch.take(next, time: try time(4), at: .now) == .settled(.flapping))

    var between = ContainerWatch(window: .seconds(10))
    #expect(between.take(try container("restarting", restarts: 4), time: try time(1), at: .now) == .settled(.flapping))
  }

  @Test("A status that nobody knows is no running one")
  func unknownStatus() throws {
    var watch = ContainerWatch(window: .zero)
    #expect(watch.take(try container("improving"), time: try time(60), at: .now) == .settled(.other))
  }

  @Test("Ports of the host that are its own are told from those that the engine chooses")
  func ports() throws {
    let json = try JSON(
      parsing: """
        {"Id": "1", "Name": "/c", "Image": "sha256:1", "State": {"Status": "running"}, "Config": {},
         "HostConfig": {"PortBindings": {
           "3478/udp": [{"HostIp": "", "HostPort": "3478"}], "3478/tcp": [{"HostIp": "", "HostPort": "13478"}],
           "9641/tcp": [{"HostIp": "", "HostPort": ""}], "9642/tcp": [{"HostIp": "", "HostPort": "0"}]}}}
        """)
    #expect(Container(json)?.fixedPorts == ["13478/tcp", "3478/udp"])
  }

  @Test("Compose is told by its labels, whatever the name")
  func compose() throws {
    for name in ["p_coturn_1", "p-coturn-1", "renamed"] {
      let json = try JSON(
        parsing: """
          {"Id": "1", "Name": "/\(name)", "Image": "sha256:1", "State": {"Status": "running"}, "Config": {"Labels": {
            "com.docker.compose.project": "p", "com.docker.compose.service": "coturn",
            "com.docker.compose.container-number": "1", "com.docker.compose.oneoff": "False",
            "com.docker.compose.project.config_files": "a.yaml,b.yaml",
            "com.docker.compose.project.working_dir": "/srv/p", "com.docker.compose.config-hash": "h",
            "com.docker.compose.version": "1.29.2"}}}
          """)
      let place = try #require(Container(json)?.compose)
      #expect(place.project == "p" && place.service == "coturn" && place.number == 1 && !place.isOneOff)
      #expect(place.files == ["a.yaml", "b.yaml"] && place.folder == "/srv/p")
      #expect(place.configurationHash == "h" && place.version == "1.29.2")
    }
  }
}
