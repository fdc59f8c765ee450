import Foundation
import Lab
import Processes
import Schema
import TestSupport
import Testing

/// What a target declares of its server beyond URI and credentials, against real servers.
@Suite struct TargetTests {
  // MARK: Realm

  /// The MD5 of `bob:a.example:sesame`, which a server keeps in place of the password; the server's realm is another.
  private static let keyOfAnotherRealm = "0xf2b503a03a6fde7d3a0385c4e43f7b16"

  @Test(
    "A user of another realm than the server's fails with both realms; a wrong password in the right realm does not")
  func wrongRealm() async throws {
    let coturn = try await Coturn.start { $0.directives = ["user=bob:\(Self.keyOfAnotherRealm)"] }
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        declared: {server: "turn:127.0.0.1:\(coturn.port)", username: bob, credential: {env: BOB}, realm: a.example}
        near: {server: "turn:127.0.0.1:\(coturn.port)", username: alice, credential: {env: BOB}, realm: r.example}
        works: {server: "turn:127.0.0.1:\(coturn.port)", username: alice, credential: {env: ALICE}, realm: a.example}

      """)
    func error(of target: String) async throws -> JSON? {
      let output = try await project.runbook(
        "run", "checks/turn-relay", "--target", target, "--format", "json", environment: ["BOB": "sesame"])
      #expect(output.status == 1, "\(output.stderr)")
      return try output.json.step("turnRelay/relay")?["error"]
    }
    let mismatch = try await error(of: "declared")
    #expect(mismatch?["code"] == "turn.realmMismatch", "\(mismatch?.text() ?? "")")
    #expect(mismatch?["message"]?.string?.contains("\"r.example\", not \"a.example\"") == true)
    #expect(mismatch?["advice"]?.string?.contains("realm=") == true)
    #expect(try await error(of: "near")?["code"] == "turn.unauthorized")

    let works = try await project.runbook(
      "probe", "turn.allocate", "--target", "works", "--format", "json", environment: ["ALICE": Coturn.credential])
    #expect(works.status == 0, "\(works.stdout)\(works.stderr)")
    #expect(try works.json["outcome"] == "warn")
    #expect(try works.json["error"]?["code"] == "turn.realmMismatch")
    #expect(try works.json["output"]?["realm"] == "r.example")

    let named = try await project.runbook(
      "probe", "turn.allocate", "127.0.0.1:\(coturn.port)", "--format", "json",
      environment: ["TURN_USERNAME": "bob", "TURN_CREDENTIAL": "sesame", "TURN_REALM": "a.example"])
    #expect(try named.json["error"]?["code"] == "turn.realmMismatch", "\(named.stdout)\(named.stderr)")
    #expect(try named.json["output"]?["expectedRealm"] == "a.example")
  }

  // MARK: TLS

  @Test("A target's tlsServer is where TLS is tried: by probe, in the comparison of transports, and in a runbook")
  func tlsServer() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        both:
          server: turn:127.0.0.1:\(coturn.port)
          tlsServer: turns:127.0.0.1:\(try #require(coturn.tlsPort))
          username: \(Coturn.username)
          credential: {env: PASSWORD}
          ca: \(coturn.authority)
        plain: {server: "turn:127.0.0.1:\(coturn.port)"}

      """)
    try project.write(
      "runbooks/certificate.yaml",
      """
      runbook: certificate
      steps:
        - {id: look, use: tls.certificate, with: {server: "${target}"}, expect: [output.trusted, has(target.tlsURI)]}

      """)
    func runbook(_ arguments: String...) async throws -> CommandLineProject.Output {
      try await project.runbook(arguments, environment: ["PASSWORD": Coturn.credential])
    }
    let probe = try await runbook("probe", "tls.certificate", "--target", "both", "--format", "json")
    #expect(probe.status == 0, "\(probe.stdout)\(probe.stderr)")
    let run = try await runbook("run", "certificate", "--target", "both")
    #expect(run.status == 0, "\(run.stdout)\(run.stderr)")
    let all = try await runbook(
      "probe", "turn", "--all-transports", "--target", "both", "-p", "packets=5", "--format", "json")
    #expect(try all.json.array?.map { $0["outcome"] } == ["pass", "pass", "pass", "pass"], "\(all.stdout)")

    let plain = try await runbook("probe", "tls", "--target", "plain")
    #expect(plain.status == 2, "\(plain.stderr)")
    for name in ["tlsServer", "TURN_TLS_SERVER"] { #expect(plain.stdout.contains(name), "\(plain.stdout)") }
  }

  @Test("A URI that is given for TLS is the one that is tried; TURN_TLS_SERVER alone names a server")
  func tlsURI() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    let environment = [
      "TURN_TLS_SERVER": "turns:127.0.0.1:\(try #require(coturn.tlsPort))", "TURN_CA": coturn.authority,
    ]
    let alone = try await project.runbook("probe", "tls.certificate", environment: environment)
    #expect(alone.status == 0, "\(alone.stdout)\(alone.stderr)")
    let given = try await project.runbook(
      "probe", "tls.certificate", "turn:127.0.0.1:\(coturn.port)", environment: environment)
    #expect(given.status == 2, "\(given.stdout)")
    #expect(given.stdout.contains("is not encrypted"), "\(given.stdout)")
    #expect(try await project.runbook("probe", "--help").stdout.contains("TURN_TLS_SERVER"))
  }

  // MARK: Several

  @Test("turn.pool asks the targets that --target chooses, and says so where it is given them with -p")
  func pool() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    let server = "server: \"turn:127.0.0.1:\(coturn.port)\", username: alice, credential: {env: ALICE}"
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        frankfurt: {\(server), labels: {region: eu}}
        oslo: {\(server), labels: {region: eu}}
        boston: {server: "turn:127.0.0.1:1", labels: {region: us}}

      """)
    func pool(_ arguments: String...) async throws -> CommandLineProject.Output {
      try await project.runbook(["probe", "turn.pool"] + arguments, environment: ["ALICE": Coturn.credential])
    }
    #expect(try await pool("--target", "region=eu", "-p", "working=2").status == 0)
    #expect(try await pool("--target", "all", "-p", "working=3").status == 1)
    let listed = try await pool("-p", "servers=frankfurt,oslo")
    #expect(listed.status == 2)
    #expect(listed.stderr.contains("runbook probe turn.pool --target all"), "\(listed.stderr)")
    #expect(try await project.runbook("probe", "--help").stdout.contains("runbook probe turn.pool --target all"))
  }

  // MARK: Certificates

  /// Makes an authority, a client's certificate with its key, and another key, in the project's folder.
  private func makeCertificates(in project: CommandLineProject) async throws {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    var shell = Command(
      "sh",
      [
        "-ec",
        """
        umask 077
        openssl req -x509 \(key) -keyout authority.key -out authority.pem -days 5 -subj "/CN=Clients' authority"
        openssl req \(key) -keyout client.key -out client.csr -subj /CN=probe
        openssl x509 -req -in client.csr -CA authority.pem -CAkey authority.key -CAcreateserial -out client.pem -days 5
        openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out other.key
        openssl genpkey -algorithm ed25519 -out alien.key
        openssl pkey -in client.key -aes128 -passout pass:x -out locked.key
        """,
      ])
    shell.directory = project.root
    let made = project.output(of: try await shell.run())
    try #require(made.status == 0, "\(made.stderr)")
  }

  @Test("A server that demands a client certificate gets the target's; without one the failure says what to give")
  func clientCertificate() async throws {
    let project = try CommandLineProject()
    try await makeCertificates(in: project)
    let coturn = try await Coturn.start { $0.directives = ["CA-file=\(project.root)/authority.pem"] }
    let port = try #require(coturn.tlsPort)
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        bare:
          server: turns:127.0.0.1:\(port)?transport=tcp
          username: \(Coturn.username)
          credential: {env: PASSWORD}
          ca: \(coturn.authority)
        shown:
          server: turns:127.0.0.1:\(port)?transport=tcp
          username: \(Coturn.username)
          credential: {env: PASSWORD}
          ca: \(coturn.authority)
          certificate: client.pem
          key: client.key

      """)
    let environment = ["PASSWORD": Coturn.credential]
    let shown = try await project.runbook(
      "run", "checks/turn-relay", "--target", "shown", "-p", "packets=5", "--format", "json", environment: environment)
    #expect(shown.status == 0, "\(shown.stdout)\(shown.stderr)")
    #expect(!shown.stderr.contains("warning"), "\(shown.stderr)")
    let bare = try await project.runbook(
      "probe", "turn.allocate", "--target", "bare", "--format", "json", environment: environment)
    #expect(bare.status == 1, "\(bare.stderr)")
    #expect(try bare.json["error"]?["code"] == "tls.clientCertificateMissing", "\(bare.stdout)")
    #expect(try bare.json["error"]?["advice"]?.string?.contains("TURN_CERT and TURN_KEY") == true)

    let named = try await project.runbook(
      "probe", "tls.certificate", "127.0.0.1:\(port)", "--format", "json",
      environment: ["TURN_CA": coturn.authority, "TURN_CERT": "client.pem", "TURN_KEY": "client.key"])
    #expect(named.status == 0, "\(named.stdout)\(named.stderr)")
  }

  @Test("A certificate of an authority that the server does not know is refused by its own name")
  func foreignCertificate() async throws {
    let project = try CommandLineProject()
    try await makeCertificates(in: project)
    let coturn = try await Coturn.start { $0.directives = ["CA-file=ca.pem"] }
    let output = try await project.runbook(
      "probe", "tls.certificate", "127.0.0.1:\(try #require(coturn.tlsPort))", "--format", "json",
      environment: ["TURN_CA": coturn.authority, "TURN_CERT": "client.pem", "TURN_KEY": "client.key"])
    #expect(output.status == 1, "\(output.stderr)")
    #expect(try output.json["error"]?["code"] == "tls.clientCertificateRefused", "\(output.stdout)")
  }

  /// What is wrong with the files of a target, and how it is said.
  struct BadFile: Sendable, CustomTestStringConvertible {
    let keys: String
    let says: String
    var testDescription: String { "\(keys): \(says)" }

    static let all: [BadFile] = [
      .init(keys: "ca: none.pem", says: "the CA of the target \"only\" is missing: "),
      .init(keys: "ca: runbook.yaml", says: "runbook.yaml holds no certificates"),
      .init(keys: "certificate: client.pem", says: "a target with a certificate needs the key \"key\""),
      .init(keys: "key: client.key", says: "a target with a key needs the key \"certificate\""),
      .init(keys: "certificate: none.pem, key: client.key", says: "the certificate of the target \"only\" is missing"),
      .init(keys: "certificate: client.pem, key: none.key", says: "the key of the target \"only\" is missing"),
      .init(keys: "certificate: client.key, key: client.key", says: "client.key holds no certificate"),
      .init(keys: "certificate: client.pem, key: other.key", says: "other.key is the key of another certificate"),
      .init(keys: "certificate: client.pem, key: alien.key", says: "alien.key is the key of another certificate"),
      .init(keys: "certificate: client.pem, key: client.pem", says: "client.pem holds no private key"),
      .init(keys: "certificate: client.pem, key: locked.key", says: "locked.key is protected by a passphrase"),
    ]
  }

  @Test("Files that cannot be used are found before anything runs, by validate as by run and probe")
  func badFiles() async throws {
    let project = try CommandLineProject()
    try await makeCertificates(in: project)
    for bad in BadFile.all {
      try project.write(
        "runbook.yaml", "project: test\ntargets:\n  only: {server: \"turns:127.0.0.1:1\", \(bad.keys)}\n")
      for arguments in [["validate"], ["run", "checks/stun-binding"], ["probe", "stun", "--target", "only"]] {
        let output = project.output(of: try await project.command(arguments).run())
        #expect(output.status == 2, "\(bad.keys): \(output.stderr)")
        #expect(output.stderr.contains(bad.says), "\(bad.keys): \(output.stderr)")
        #expect(output.stderr.contains("runbook.yaml:3:"), "\(output.stderr)")
      }
    }
    #expect(!project.exists(".runbook"))
  }

  @Test(
    "Files that the environment names are looked at as well, where .env says so; a key that all can read is a warning")
  func environmentFiles() async throws {
    let project = try CommandLineProject()
    try await makeCertificates(in: project)
    try project.write(".env", "TURN_SERVER=turns:127.0.0.1:1\nTURN_CERT=client.pem\nTURN_KEY=other.key\n")
    let mismatched = try await project.runbook("validate")
    #expect(mismatched.status == 2)
    #expect(mismatched.stderr.contains(".env:3:1"), "\(mismatched.stderr)")
    try project.write(".env", "TURN_SERVER=turns:127.0.0.1:1\nTURN_CERT=client.pem\n")
    let alone = try await project.runbook("validate")
    #expect(alone.status == 2)
    #expect(alone.stderr.contains("TURN_CERT is set and TURN_KEY is not"), "\(alone.stderr)")

    try project.write(".env", "TURN_SERVER=turns:127.0.0.1:1\nTURN_CERT=client.pem\nTURN_KEY=client.key\n")
    #expect(try await project.runbook("validate").stderr == "")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(project.root)/client.key")
    for arguments in [["validate"], ["run", "checks/stun-binding"], ["probe", "stun"]] {
      let output = project.output(of: try await project.command(arguments).run())
      #expect(output.status == (arguments == ["validate"] ? 0 : 1), "\(output.stderr)")
      #expect(output.stderr.contains("everybody on this machine can read"), "\(arguments): \(output.stderr)")
      #expect(output.stderr.contains("help: chmod o="), "\(output.stderr)")
    }
  }
}
