import Foundation
import Lab
import Processes
import Schema
import TestSupport
import Testing

/// `runbook coturn audit` and `runbook coturn generate`, by hand.
@Suite struct CoturnConfigurationCommandTests {
  @Test("An audit prints findings as JSON or as a page, and fails on what is critical or high")
  func audit() async throws {
    let project = try CommandLineProject()
    try project.write(
      "turnserver.conf",
      "use-auth-secret\nstatic-auth-secret=8f1c2a97e4b05d36c1f7a2e980b4d653\nrealm=r.example\ndenied-peer-ip=10.0.0.0/8\n"
    )
    let output = try await project.runbook(
      "coturn", "audit", "turnserver.conf", "--coturn-version", "4.6.1", "--format", "json")
    #expect(output.status == 1, "\(output.stderr)")
    let json = try output.json
    #expect(json["version"]?.string == "4.6.1")
    let dropped = json["findings"]?.array?.first { $0["item"]?.int == 9 }
    #expect(dropped?["line"]?.int == 4)
    #expect(dropped?["severity"]?.string == "critical")
    #expect(dropped?["instead"]?.string == "denied-peer-ip=10.0.0.0-10.255.255.255")
    #expect(dropped?["ifNotBackported"]?.bool == false)
    #expect(!output.stdout.contains("8f1c2a97e4b05d36c1f7a2e980b4d653"))

    let text = try await project.runbook("coturn", "audit", "turnserver.conf", "--coturn-version", "4.6.1")
    #expect(text.status == 1)
    #expect(text.stdout.contains("CRITICAL  line 4"), "\(text.stdout)")
    #expect(text.stdout.contains("write denied-peer-ip=10.0.0.0-10.255.255.255"), "\(text.stdout)")
    #expect(text.stdout.contains("unless your distribution mended it"), "\(text.stdout)")
  }

  @Test("What cannot be audited is refused, and says why")
  func refusals() async throws {
    let project = try CommandLineProject()
    try project.write("page.html", "<html>\n")
    let missing = try await project.runbook("coturn", "audit", "missing.conf", "--coturn-version", "4.6.1")
    #expect(
      missing.status == 2 && missing.stderr.contains("missing.conf cannot be read: No such file"), "\(missing.stderr)")
    let folder = try await project.runbook("coturn", "audit", "runbooks", "--coturn-version", "4.6.1")
    #expect(folder.status == 2 && folder.stderr.contains("Is a directory"), "\(folder.stderr)")
    let version = try await project.runbook("coturn", "audit", "page.html", "--coturn-version", "latest")
    #expect(version.status == 2 && version.stderr.contains("a version such as 4.6.1"), "\(version.stderr)")
    let other = try await project.runbook("coturn", "audit", "page.html", "--coturn-version", "4.6.1")
    #expect(
      other.status == 1 && other.stdout.contains("No line of this file is an option of coturn"), "\(other.stdout)")
  }

  @Test("A generated file is private, replaces none, and takes its secret from a file, a variable or nowhere")
  func generate() async throws {
    let project = try CommandLineProject()
    let arguments = [
      "coturn", "generate", "--purpose", "minimal", "--realm", "r.example", "--external-ip", "198.51.100.7",
    ]
    let made = try await project.runbook(arguments + ["--output", "turnserver.conf"], environment: [:])
    #expect(made.status == 0, "\(made.stderr)")
    let mode = try FileManager.default.attributesOfItem(atPath: "\(project.root)/turnserver.conf")[.posixPermissions]
    #expect(mode as? Int == 0o640)
    #expect(try project.read("turnserver.conf").contains(/static-auth-secret=[0-9a-f]{64}\n/))
    let again = try await project.runbook(arguments + ["--output", "turnserver.conf"], environment: [:])
    #expect(again.status == 2 && again.stderr.contains("is there already"), "\(again.stderr)")
    let forced = try await project.runbook(arguments + ["--output", "turnserver.conf", "--force"], environment: [:])
    #expect(forced.status == 0, "\(forced.stderr)")

    try project.write("secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f0\n")
    let file = try await project.runbook(arguments + ["--secret-file", "secret"], environment: [:])
    #expect(file.stdout.contains("static-auth-secret=0f1e2d3c4b5a69788796a5b4c3d2e1f0\n"), "\(file.stderr)")
    let variable = try await project.runbook(
      arguments + ["--secret-variable", "S"], environment: ["S": "1f1e2d3c4b5a69788796a5b4c3d2e1f0"])
    #expect(variable.stdout.contains("static-auth-secret=1f1e2d3c4b5a69788796a5b4c3d2e1f0\n"), "\(variable.stderr)")
    let unset = try await project.runbook(arguments + ["--secret-variable", "UNSET_HERE"], environment: [:])
    #expect(unset.status == 2 && unset.stderr.contains("UNSET_HERE is not set"), "\(unset.stderr)")

    try project.write("users", "alice:kH72nsKq0pLs\n# nobody\nbob:north\n")
    let users = try await project.runbook(arguments + ["--users-file", "users"], environment: [:])
    #expect(users.status == 2 && users.stderr.contains("users:3: the password of user bob"), "\(users.stderr)")
    #expect(!users.stderr.contains("north"))
    let plain = try await project.runbook(arguments.map { $0 == "minimal" ? "recommended" : $0 }, environment: [:])
    #expect(plain.status == 2 && plain.stderr.contains("needs a certificate"), "\(plain.stderr)")
  }

  /// A generated file in a real server of Debian's 4.6.1: it starts without a complaint, its credential gets an allocation, and peers that
  /// are somebody's own are refused.
  @Test(
    "A real server starts with each generated file without a complaint, and relays as it says",
    arguments: [
      ("minimal", false), ("minimal", true), ("recommended", false), ("high-security", false), ("high-security", true),
    ])
  func realServer(_ purpose: String, _ hasUsers: Bool) async throws {
    let project = try CommandLineProject()
    let certificate = try ServerCertificate.issue()
    try project.write("ca.pem", certificate.authority)
    try project.write("server.pem", certificate.certificate)
    try project.write("key.pem", certificate.key)
    try project.write("secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f0\n")
    try project.write("users", "alice:kH72nsKq0pLs\n")
    var arguments = [
      "coturn", "generate", "--purpose", purpose, "--realm", "r.example", "--external-ip", "11.22.33.44",
      "--log-file", "\(project.root)/turn.log", "--output", "turnserver.conf",
    ]
    arguments += hasUsers ? ["--users-file", "users"] : ["--secret-file", "secret"]
    if purpose != "minimal" {
      arguments += ["--cert", "\(project.root)/server.pem", "--pkey", "\(project.root)/key.pem"]
    }
    let generated = try await project.runbook(arguments, environment: [:])
    try #require(generated.status == 0, "\(generated.stderr)")
    let text = try project.read("turnserver.conf")
    let audit = try await project.runbook(
      "coturn", "audit", "turnserver.conf", "--coturn-version", "4.6.1", "--format", "json")
    #expect(
      try audit.json["findings"]?.array?.allSatisfy { $0["ifNotBackported"]?.bool == true } == true, "\(audit.stdout)")

    // The guide has systemd start it so that it can write the very file.
    let guide = try String(
      contentsOf: CommandLineProject.repositoryURL.appending(path: "docs/guides/incidents.md"), encoding: .utf8)
    let pidFile = "/run/turnserver/turnserver.pid"
    #expect(text.contains("\npidfile=\(pidFile)\n"), "\(text)")
    #expect(guide.contains("RuntimeDirectory=turnserver\n") && guide.contains(" --pidfile=\(pidFile)\n"))

    let root = project.root
    let isSecure = purpose == "high-security"
    let server = try await onBlockingThread { () throws(LabError) in
      try LabServer.start(in: root, patience: .seconds(120)) { port, tlsPort in
        // Its TLS port alone is there to be waited for.
        var settings = LabServerSettings(realm: "r.example", authentication: .none, port: isSecure ? tlsPort : port)
        settings.listensOnUDP = !isSecure
        settings.text =
          text.replacing("11.22.33.44", with: "127.0.0.1").replacing(pidFile, with: "\(root)/generated.pid")
          .replacing("listening-port=3478", with: "listening-port=\(port)")
          .replacing("tls-listening-port=5349", with: "tls-listening-port=\(tlsPort)")
          + "relay-threads=1\nuserdb=\(root)/turndb\n"
        return settings
      }
    }
    defer { _ = server.end() }
    let complaints = try (project.read("turn.log") + project.read("turnserver.log")).split(separator: "\n").filter {
      $0.contains("WARNING") || $0.contains("ERROR") || $0.contains("Bad configuration") || $0.contains("NO EXPLICIT")
    }
    #expect(complaints == [])
    let pid = try project.read("generated.pid").trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(try String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8) == "turnserver\n")

    var environment = ["TURN_CA": "\(root)/ca.pem"]
    if hasUsers {
      environment["TURN_USERNAME"] = "alice"
      environment["TURN_CREDENTIAL"] = "kH72nsKq0pLs"
    } else {
      environment["TURN_SECRET"] = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    }
    environment["TURN_SERVER"] =
      isSecure ? "turns:127.0.0.1:\(server.port)?transport=tcp" : "turn:127.0.0.1:\(server.port)"
    let allocation = try await project.runbook(["probe", "turn.allocate"], environment: environment)
    #expect(allocation.status == 0, "\(allocation.stdout)\(allocation.stderr)")
    let relay = try await project.runbook(["probe", "turn.openRelay", "--format", "json"], environment: environment)
    #expect(relay.status == 0, "\(relay.stdout)\(relay.stderr)")
    var wrong = environment
    wrong["TURN_SECRET"] = nil
    wrong["TURN_USERNAME"] = "alice"
    wrong["TURN_CREDENTIAL"] = "not-the-password"
    let refused = try await project.runbook(["probe", "turn.allocate"], environment: wrong)
    #expect(refused.status == 1, "\(refused.stdout)\(refused.stderr)")
  }
}
