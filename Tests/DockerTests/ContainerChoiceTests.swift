import Docker
import Schema
import Testing

/// Which container a name or an id stands for.
@Suite struct ContainerChoiceTests {
  private static let first = String(repeating: "ab", count: 32)
  private static let second = "ab" + String(repeating: "cd", count: 31)

  private func summary(_ id: String, _ names: [String], labels: String = "{}") throws -> ContainerSummary {
    let list = names.map { "\"/\($0)\"" }.joined(separator: ",")
    return try #require(
      ContainerSummary(
        try JSON(
          parsing: #"{"Id": "\#(id)", "Names": [\#(list)], "Image": "i", "State": "running", "Labels": \#(labels)}"#)))
  }

  private func labels(_ project: String, _ service: String, oneOff: String = "False") -> String {
    """
    {"com.docker.compose.project": "\(project)", "com.docker.compose.service": "\(service)",
     "com.docker.compose.oneoff": "\(oneOff)"}
    """
  }

  private func choose(
    _ all: [ContainerSummary], _ container: String? = nil, project: String? = nil, service: String? = nil
  ) throws -> String {
    try ContainerChoice(container: container, project: project, service: service).one(of: all, at: .standard).id
  }

  private func code(_ body: () throws -> String) -> DockerError.Code? {
    do { _ = try body() } catch let error as DockerError { return error.code } catch {}
    return nil
  }

  @Test("An exact name and an id from twelve characters on are found; parts of names are not")
  func exact() throws {
    let all = [try summary(Self.first, ["coturn", "web/turn"]), try summary(Self.second, ["coturn-2"])]
    #expect(try choose(all, "coturn") == Self.first)
    #expect(try choose(all, String(Self.second.prefix(12))) == Self.second)
    #expect(try choose(all, Self.second) == Self.second)
    for name in [
      "cotur", "coturn-", "COTURN", "turn", "web/turn", "/coturn", String(Self.second.prefix(12)).uppercased(),
    ] {
      #expect(code { try choose(all, name) } == .noContainer, "\(name)")
    }
  }

  @Test("A name that is also the beginning of another's id is refused, and so is an id that is cut too short")
  func ambiguous() throws {
    let all = [try summary(Self.first, ["one"]), try summary(Self.second, ["abababababab"])]
    #expect(code { try choose(all, "abababababab") } == .ambiguousContainer)
    #expect(code { try choose(all, "ab") } == .ambiguousContainer)
    #expect(code { try choose(all, "abcd") } == .idTooShort)
  }

  @Test("A service stands for its one container; two projects with it, and a container of compose run, are told apart")
  func services() throws {
    let mine = try summary(Self.first, ["p_coturn_1"], labels: labels("p", "coturn"))
    let other = try summary(Self.second, ["q-coturn-1"], labels: labels("q", "coturn"))
    let oneOff = try summary("ee", ["p_coturn_run_1"], labels: labels("p", "coturn", oneOff: "True"))
    #expect(try choose([mine, other, oneOff], project: "p", service: "coturn") == Self.first)
    #expect(try choose([other, oneOff], service: "coturn") == Self.second)
    #expect(code { try choose([mine, other], service: "coturn") } == .ambiguousContainer)
    #expect(code { try choose([mine, oneOff], project: "q", service: "coturn") } == .noContainer)
  }

  @Test("A container of another project is refused, by its name as well")
  func otherProject() throws {
    let other = try summary(Self.second, ["coturn"], labels: labels("q", "coturn"))
    let alone = try summary(Self.first, ["turn"])
    #expect(code { try choose([other], "coturn", project: "p") } == .otherProject)
    #expect(code { try choose([other], "coturn", project: "q", service: "web") } == .otherProject)
    #expect(code { try choose([alone], "turn", project: "p") } == .otherProject)
    #expect(try choose([other], "coturn", project: "q") == Self.second)
  }

  @Test("A name that is not there is answered with the one that was most likely meant")
  func near() throws {
    let all = [try summary(Self.first, ["coturn"])]
    let error = #expect(throws: DockerError.self) { try choose(all, "cotrun") }
    #expect(error?.advice.text == "There is one named coturn.")
  }
}
