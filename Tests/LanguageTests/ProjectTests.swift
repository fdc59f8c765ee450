import Foundation
import Language
import Schema
import Testing

@Suite("Project")
struct ProjectTests {
  private func surroundings(_ environment: [String: String] = [:], in folder: String) -> Project.Surroundings {
    Project.Surroundings(environment: environment, workingFolder: folder, isRoot: false)
  }

  // MARK: Finding

  @Test("The folder that is named goes before RUNBOOK_PROJECT, and that before the nearest parent")
  func order() throws {
    let (a, b, c) = (try SampleProject(), try SampleProject(["x/y/z.txt": ""]), try SampleProject())
    let inside = b.path + "/x/y"
    #expect(try Project.find(nil, in: surroundings(in: inside)) == b.path)
    #expect(try Project.find(nil, in: surroundings(["RUNBOOK_PROJECT": c.path], in: inside)) == c.path)
    #expect(try Project.find(a.path, in: surroundings(["RUNBOOK_PROJECT": c.path], in: inside)) == a.path)
    #expect(try Project.find("../..", in: surroundings(in: inside)) == b.path)
    #expect(try Project.find(".", in: surroundings(in: a.path)) == a.path)
  }

  @Test("A named folder without runbook.yaml is an error, never passed over")
  func missing() throws {
    let project = try SampleProject(["x/y.txt": ""])
    let error = #expect(throws: ProjectError.self) {
      try Project.find("x", in: surroundings(["RUNBOOK_PROJECT": project.path], in: project.path))
    }
    #expect(error?.message == "--project names x, which has no runbook.yaml")
    let other = #expect(throws: ProjectError.self) {
      try Project.find(nil, in: surroundings(["RUNBOOK_PROJECT": "/nowhere"], in: project.path))
    }
    #expect(other?.message == "RUNBOOK_PROJECT names /nowhere, which is no folder")
    #expect(other?.kind == .notAProject)
  }

  @Test("Where nothing is found, the error says what to do")
  func none() {
    let error = #expect(throws: ProjectError.self) { try Project.find(nil, in: surroundings(in: "/proc/self")) }
    #expect(error?.kind == .notFound)
    #expect(error?.advice.contains("--project") == true)
  }

  // MARK: Environment

  @Test("A file of NAME=VALUE lines is read as it stands, and the process environment wins")
  func environmentFile() throws {
    let project = try SampleProject([
      ".env": """
      # TURN server
      TURN_SERVER=turn:turn1.example.com:3478?transport=tcp
      TURN_USERNAME=webrtc   # the user
      export TURN_CREDENTIAL='pass#word $HOME'

      DOUBLE="a \\"b\\"\\n\\$c # no comment" # comment
      EMPTY=
      SPACED =no
      1ST=no
      OPEN="no
      """
    ])
    let found = issues { try project.load() }.filter { $0.severity == .error }.map(\.short)
    #expect(found == ["8:1-11 environment-line", "9:1-7 environment-line", "10:6-9 environment-line"])
    try project.write(
      ".env", "DOUBLE=\"a \\\"b\\\"\\n\\$c # no comment\" # comment\nQ='pass#word $HOME'\nEMPTY=\nU=web # x\r\n")
    let environment = try project.load(["U": "process"]).environment
    #expect(environment == ["DOUBLE": "a \"b\"\n$c # no comment", "Q": "pass#word $HOME", "EMPTY": "", "U": "process"])
  }

  @Test("Another environment file must exist; without reading the environment there is none")
  func otherFile() throws {
    let project = try SampleProject([".env": "A=1\n", "other.env": "A=2\n"])
    var surroundings = surroundings(["B": "3"], in: project.path)
    surroundings.environmentFile = "other.env"
    #expect(try Project.load(at: project.path, in: surroundings).environment == ["A": "2", "B": "3"])
    surroundings.readsEnvironment = false
    #expect(try Project.load(at: project.path, in: surroundings).environment == [:])
    surroundings.readsEnvironment = true
    surroundings.environmentFile = "none.env"
    #expect(issues { try Project.load(at: project.path, in: surroundings) }.map(\.code) == ["file-unreadable"])
  }

  // MARK: Targets

  @Test("Without declared targets there is one, from TURN_SERVER, TURN_USERNAME and TURN_CREDENTIAL")
  func defaultTarget() throws {
    let project = try SampleProject([
      ".env": "TURN_SERVER=turns:turn.example.com:5349?transport=tcp\nTURN_USERNAME=webrtc\nTURN_CREDENTIAL=sesame\n"
    ])
    let target = try #require(try project.load().targets(selectedBy: nil).first)
    #expect(
      target
        == TURNServer(
          name: "default", uri: "turns:turn.example.com:5349?transport=tcp", host: "turn.example.com",
          username: "webrtc", credential: Secret("sesame")))
    let bare = try SampleProject()
    #expect(try bare.load().targets(selectedBy: nil) == [])
    #expect(try bare.load(["TURN_SERVER": "stun:[::1]"]).targets(selectedBy: nil).map(\.host) == ["::1"])
    #expect(issues { try bare.load(["TURN_SERVER": "http://x"]) }.map(\.code) == ["type-mismatch"])
    try bare.write("ca.pem", "")
    let shared = try bare.load([
      "TURN_SERVER": "turn:x", "TURN_SECRET": "s", "TURN_CA": "ca.pem", "TURN_REALM": "x.example", "TURN_CERT": "",
    ])
    #expect(try shared.targets(selectedBy: "default").map(\.secret) == [Secret("s")])
    #expect(try shared.targets(selectedBy: "default").map(\.ca) == [bare.path + "/ca.pem"])
    #expect(try shared.targets(selectedBy: "default").map(\.realm) == ["x.example"])
    #expect(
      issues {
        try bare.load(["TURN_SERVER": "turn:x", "TURN_USERNAME": "u", "TURN_SECRET": "s", "TURN_CREDENTIAL": "c"])
      }.map(\.code)
        == ["two-credentials"])
    let incomplete = try bare.load(["TURN_SERVER": "turn:x", "TURN_USERNAME": "u"])
    #expect(issues { try incomplete.targets(selectedBy: nil) }.map(\.code) == ["missing-secret"])
  }

  @Test(
    "A server without its scheme is refused with the URI to write",
    arguments: [
      ("TURN_SERVER=127.0.0.1:34780", "write turn:127.0.0.1:34780"), ("TURN_SERVER=a.example", "write turn:a.example"),
      ("TURN_SERVER=::1", "write turn:[::1]"), ("TURN_TLS_SERVER=a.example:5349", "write turns:a.example:5349"),
      ("TURN_SERVER=https://a.example", nil),
      ("TURN_TLS_SERVER=turn:a.example", "write a URI that begins with turns: or stuns:"),
    ])
  func serverWithoutScheme(line: String, advice: String?) throws {
    let project = try SampleProject([".env": "\(line)\n"])
    let found = issues { try project.load() }
    #expect(found.map(\.code) == ["type-mismatch"])
    #expect(found.map(\.suggestion) == [advice])
    let name = String(line.prefix { $0 != "=" })
    #expect(found.map { "\($0.range.file):\($0.short)" } == [".env:1:1-\(name.count + 1) type-mismatch"])
    #expect(found.first?.message.hasPrefix("\(name): ") == true)

    let key = name == "TURN_SERVER" ? "server" : "server: \"turn:x\", tlsServer"
    try project.write(".env", "")
    try project.write("runbook.yaml", "targets:\n  a: {\(key): \"\(line.dropFirst(name.count + 1))\"}\n")
    #expect(issues { try project.load() }.map(\.suggestion) == [advice])
  }

  @Test(
    "Where a name is needed and not set, one of .env that is like it is pointed out; the process's are nobody's typo",
    arguments: [
      ("TURN_USERNAME=u\nTURN_CREDENTAIL=sesame", "TURN_CREDENTAIL; did you mean TURN_CREDENTIAL?"),
      ("TURN_USERNAME=u\nTURN_PASSWORD=sesame", "TURN_PASSWORD; did you mean TURN_CREDENTIAL?"),
      ("TURN_CREDENTIAL=sesame\nTURN_USENAME=u", "TURN_USENAME; did you mean TURN_USERNAME?"),
      ("TURN_CERT=probe.pem\nTURN_KEYS=probe.key", "TURN_KEYS; did you mean TURN_KEY?"),
    ])
  func mistypedName(lines: String, advice: String) throws {
    let project = try SampleProject([".env": "TURN_SERVER=turn:x\n\(lines)\n"])
    let found = issues { try project.load().targets(selectedBy: nil) }
    #expect(found.map(\.suggestion) == [".env:3 has \(advice)"])
    #expect(!found.description.contains("sesame"))

    let set = lines.split(separator: "\n").map { $0.split(separator: "=").map(String.init) }
    try project.write(".env", "TURN_SERVER=turn:x\n\(set[0][0])=\(set[0][1])\n")
    let elsewhere = issues { try project.load([set[1][0]: set[1][1]]).targets(selectedBy: nil) }
    #expect(elsewhere.count == 1)
    #expect(!elsewhere.contains { $0.suggestion?.contains(set[1][0]) == true })
  }

  @Test("A mistyped TURN_SERVER is pointed out where a target is needed")
  func mistypedServer() throws {
    let project = try SampleProject([".env": "# ours\nTURN_SEVER=turn:x\n"])
    #expect(
      issues { try project.load().targets(selectedBy: "all") }.map(\.suggestion)
        == [".env:2 has TURN_SEVER; did you mean TURN_SERVER?"])
  }

  @Test("Where it speaks TLS belongs to a target; alone it is the server")
  func tlsServer() throws {
    let project = try SampleProject()
    let both = try project.load(["TURN_SERVER": "turn:x", "TURN_TLS_SERVER": "turns:x:443"]).targets(selectedBy: nil)
    #expect(both.map(\.uri) == ["turn:x"])
    #expect(both.map(\.tlsURI) == ["turns:x:443"])
    let alone = try project.load(["TURN_TLS_SERVER": "turns:x:443"]).targets(selectedBy: nil)
    #expect(alone.map(\.uri) == ["turns:x:443"])
    #expect(alone.map(\.host) == ["x"])
    try project.write("runbook.yaml", "targets:\n  a: {server: \"turn:x\", tlsServer: \"turns:x\"}\n")
    #expect(try project.load(["TURN_TLS_SERVER": "turns:y"]).targets(selectedBy: nil).map(\.tlsURI) == ["turns:x"])
  }

  @Test("What lab exec starts takes its server from the environment alone")
  func inLab() throws {
    let project = try SampleProject([
      ".env": "TURN_SECRET=s\nRUNBOOK_STATE=/runs\n",
      "runbook.yaml": "targets:\n  a: {server: \"turn:a\"}\n  b: {server: \"turn:b\"}\n",
    ])
    let environment = ["TURN_SERVER": "turn:lab", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "c"]
    let lab = try project.load(environment.merging(["RUNBOOK_LAB": "/lab"]) { $1 })
    #expect(try lab.targets(selectedBy: nil).map(\.uri) == ["turn:lab"])
    #expect(try lab.targets(selectedBy: nil).map(\.secret) == [nil])
    #expect(lab.statePath == "/runs")
    #expect(issues { try lab.targets(selectedBy: "a") }.first?.suggestion?.contains("lab exec") == true)
    #expect(issues { try project.load(environment).targets(selectedBy: nil) }.map(\.code) == ["target-not-named"])
  }

  private static let declared = """
    project: shop
    state: /var/lib/shop
    targets:
      eu-1:
        server: turn:eu1.example.com
        username: probe
        credential: {env: EU_PASSWORD}
        labels: {region: eu, tier: gold}
      eu-2:
        server: turns:eu2.example.com
        secret: {file: secrets/eu2}
        realm: example.com
        ca: ca.pem
        certificate: probe.pem
        key: keys/probe.key
        labels: {region: eu}
      us:
        server: turn:192.0.2.7:3478
        username: probe
        credential: {credential: us-password}
        host: us.example.com
    """

  @Test("Targets are selected by name, by label, and all at once, their secrets read from where they lie")
  func selection() throws {
    let project = try SampleProject([
      "secrets/eu2": "shared\n", "credentials/us-password": "systemd", "ca.pem": "", "probe.pem": "",
      "keys/probe.key": "",
    ])
    try project.write("runbook.yaml", Self.declared)
    let loaded = try project.load(["EU_PASSWORD": "sesame", "CREDENTIALS_DIRECTORY": project.path + "/credentials"])
    #expect(loaded.name == "shop")
    #expect(loaded.statePath == "/var/lib/shop")
    func names(_ selection: String?) throws -> [String] { try loaded.targets(selectedBy: selection).map(\.name) }
    #expect(try names("eu-2") == ["eu-2"])
    #expect(try names("region=eu") == ["eu-1", "eu-2"])
    #expect(try names("all") == ["eu-1", "eu-2", "us"])
    let all = try loaded.targets(selectedBy: "all")
    #expect(all[0].credential == Secret("sesame"))
    #expect(all[1].secret == Secret("shared"))
    #expect(all[1].realm == "example.com")
    #expect(all[1].ca == project.path + "/ca.pem")
    #expect(all[1].certificate == project.path + "/probe.pem")
    #expect(all[1].key == project.path + "/keys/probe.key")
    #expect(all[2].credential == Secret("systemd"))
    #expect(all[2].host == "us.example.com")
    #expect(issues { try names("eu-3") }.first?.suggestion == "did you mean \"eu-1\"?")
    #expect(issues { try names("region=us") }.first?.suggestion == "did you mean \"region=eu\"?")
    #expect(issues { try names(nil) }.map(\.code) == ["target-not-named"])
  }

  @Test("Every secret and every key file that is missing is named, at the place that says where it comes from")
  func missingSecrets() throws {
    let project = try SampleProject()
    try project.write("runbook.yaml", Self.declared)
    for name in ["ca.pem", "probe.pem"] { try project.write(name, "") }
    let found = issues { try project.load().targets(selectedBy: "all") }
    #expect(found.map(\.code) == ["missing-secret", "missing-secret", "file-unreadable", "missing-secret"])
    #expect(found.map(\.range.line) == [7, 11, 15, 20])
    #expect(found[0].message == "the credential of the target \"eu-1\" is missing: EU_PASSWORD is not set")
  }

  @Test("Targets in clear text, without a server, with two credentials and with strange names are refused")
  func refusedTargets() throws {
    let project = try SampleProject()
    try project.write(
      "runbook.yaml",
      """
      project: shop
      waivers: {}
      targts: {}
      targets:
        all: {server: "turn:a"}
        a: {server: "http://a", username: u, credential: sesame}
        b: {server: "turn:b", username: u, credential: {env: A}, secret: {env: B}}
        c: {username: u}
        d: {server: "turn:d", credential: {env: A, file: b}, labels: [x]}
        e: {server: "turn:e", credential: {credential: ../x}}
      """)
    #expect(
      issues { try project.load() }.map(\.short) == [
        "2:1-8 unsupported-key", "3:1-7 unknown-key", "5:3-6 target-name", "6:15-25 type-mismatch",
        "6:52-58 secret-in-clear", "7:60-66 two-credentials", "8:6-19 missing-key", "9:6-68 missing-key",
        "9:37-54 secret-source", "9:64-67 type-mismatch", "10:6-56 missing-key", "10:50-54 secret-source",
      ])
  }

  @Test("A secret file that everybody can read is warned of")
  func readableSecret() throws {
    let project = try SampleProject([
      "token": "sesame-open",
      "runbooks/a.yaml": "runbook: a\nsecrets:\n  t: {file: token}\nsteps:\n"
        + "  - {id: l, use: sample.login, with: {user: a, password: \"${secrets.t}\"}}\n",
    ])
    func warnings(_ mode: Int) throws -> [String] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: project.path + "/token")
      var warnings: [String] = []
      let plan = try project.load().plan("a", catalog: sampleCatalog) { warnings.append($0.code) }
      #expect(plan.secrets == ["t": Secret("sesame-open")])
      return warnings
    }
    #expect(try warnings(0o644) == ["secret-readable"])
    #expect(try warnings(0o600) == [])
  }

  @Test("An environment file that everybody can read is warned of where it holds a secret, once for each name")
  func readableEnvironment() throws {
    let project = try SampleProject([
      ".env": "HOST=a\nTURN_SERVER=turn:a\nTURN_USERNAME=u\nTURN_CREDENTIAL=sesame-c\nTOKEN=sesame-t\n",
      "runbooks/a.yaml": "runbook: a\nsecrets:\n  t: {env: TOKEN}\n  u: {env: TURN_CREDENTIAL}\nsteps:\n"
        + "  - {id: l, use: sample.login, with: {user: a, password: \"${secrets.t}${secrets.u}\"}}\n",
    ])
    func warnings(_ mode: Int) throws -> [String] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: project.path + "/.env")
      let loaded = try project.load()
      var warnings: [Schema.Issue] = []
      _ = try loaded.plan("a", target: try loaded.targets(selectedBy: nil).first, catalog: sampleCatalog) {
        warnings.append($0)
      }
      return warnings.map { "\($0.range.file):\($0.short): \($0.message) | \($0.suggestion ?? "")" }
    }
    let path = project.path + "/.env"
    #expect(
      try warnings(0o644) == [
        ".env:4:1-16 secret-readable: everybody on this machine can read \(path), which holds TURN_CREDENTIAL"
          + " | chmod o= \(path)",
        ".env:5:1-6 secret-readable: everybody on this machine can read \(path), which holds TOKEN | chmod o= \(path)",
      ])
    #expect(try warnings(0o640) == [])
  }

  // MARK: Trust

  @Test("As root, what everybody can write and links out of the project are refused, with the line that mends it")
  func trust() throws {
    let document = "runbook: a\nsteps:\n  - {id: l, use: sample.everything}\n"
    let project = try SampleProject(["runbooks/a.yaml": document])
    let outside = try SampleProject(["a.yaml": document])
    let files = FileManager.default
    func found(asRoot: Bool = true) -> [Schema.Issue] {
      (try? project.load(isRoot: asRoot).validate(catalog: sampleCatalog)) ?? []
    }
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: project.path)
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: project.path + "/runbooks")
    #expect(found() == [])
    try files.setAttributes([.posixPermissions: 0o666], ofItemAtPath: project.path + "/runbooks/a.yaml")
    #expect(found().map(\.code) == ["file-not-trusted"])
    #expect(found().first?.suggestion == "chmod o-w \(project.path)/runbooks/a.yaml")
    #expect(found(asRoot: false) == [])
    try files.setAttributes([.posixPermissions: 0o644], ofItemAtPath: project.path + "/runbooks/a.yaml")
    try files.setAttributes([.posixPermissions: 0o777], ofItemAtPath: project.path + "/runbooks")
    #expect(found().first?.suggestion?.hasPrefix("chmod o-w \(project.path)/runbooks") == true)
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: project.path + "/runbooks")
    try files.removeItem(atPath: project.path + "/runbooks/a.yaml")
    try files.createSymbolicLink(
      atPath: project.path + "/runbooks/a.yaml", withDestinationPath: outside.path + "/a.yaml")
    #expect(found().map(\.message) == ["the file is a link out of the project, to \(outside.path)/a.yaml"])
    #expect(found(asRoot: false) == [])
  }

  @Test("A pipe in the place of a document is refused without waiting for it")
  func pipe() throws {
    let project = try SampleProject(["runbooks/x.txt": ""])
    #expect(mkfifo(project.path + "/runbooks/a.yaml", 0o600) == 0)
    #expect(try project.problems() == ["1:1-2 file-unreadable"])
  }

  @Test("The state folder is that of RUNBOOK_STATE, of runbook.yaml, or .runbook")
  func state() throws {
    let project = try SampleProject()
    #expect(try project.load().statePath == project.path + "/.runbook")
    #expect(try project.load(["RUNBOOK_STATE": "/tmp/x"]).statePath == "/tmp/x")
    var lab = surroundings(["RUNBOOK_STATE": "/tmp/x", "TURN_SERVER": "turn:x"], in: project.path)
    lab.readsEnvironment = false
    #expect(try Project.load(at: project.path, in: lab).statePath == "/tmp/x")
    try project.write("runbook.yaml", "state: var\n")
    #expect(try project.load().statePath == project.path + "/var")
    #expect(try project.load(["RUNBOOK_STATE": "/tmp/x"]).statePath == "/tmp/x")
  }
}
