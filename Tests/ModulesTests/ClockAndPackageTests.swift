import Foundation
import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// The clock against time servers on loopback.
@Suite struct ClockTests {
  /// A time server that is wrong by a known time, or answers otherwise.
  private func serve(_ answer: String) throws -> (LiveProcess, Value.Member) {
    let script = """
      import socket, struct, sys, time
      s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))
      print(s.getsockname()[1], flush=True)
      def stamp(t): return struct.pack('!II', int(t) + 2208988800 & 0xFFFFFFFF, int(t % 1 * 2**32))
      def packet(q, ahead, stratum=2, leap=0, origin=None, mode=4, ref=b'TEST'):
          now = stamp(time.time() + ahead)
          return struct.pack('!BBbb', leap << 6 | 4 << 3 | mode, stratum, 6, -20) + bytes(8) + ref + now + (origin or q[40:48]) + now + now
      while True:
          q, peer = s.recvfrom(512)
          \(answer)
      """
    let process = try LiveProcess("/usr/bin/python3", ["-c", script])
    defer { withExtendedLifetime(process) {} }
    guard let port = Int64(try process.awaitLine()) else { throw LiveProcess.NotReady() }
    return (process, .init("serverPort", .int(port)))
  }

  private func ask(_ port: Value.Member) async throws -> StepResult<Value> {
    try await run("host.clock", [.init("server", .string("127.0.0.1")), port])
  }

  private func duration(_ value: Value?) -> Duration {
    if case .duration(let duration)? = value { duration } else { .seconds(-1_000_000) }
  }

  @Test(
    "How far the clock is off is told to the round trip, in both directions and over 2036", arguments: [-90.0, 42, 3e8])
  func offset(ahead: Double) async throws {
    let (server, port) = try serve("s.sendto(packet(q, \(ahead)), peer)")
    let output = try await ask(port).output
    // The server's clock is ahead of ours.
    #expect(abs((duration(output["offset"]) + .seconds(ahead)) / .seconds(1)) < 1)
    #expect(abs((duration(output["deviation"]) - .seconds(abs(ahead))) / .seconds(1)) < 1)
    #expect(duration(output["delay"]) >= .zero && output["stratum"] == .int(2))
    server.signal(SIGKILL)
  }

  @Test("Answers to nobody's question are passed over, and a refusal is said")
  func answers() async throws {
    let (forging, forged) = try serve(
      "s.sendto(packet(q, 5000, origin=bytes(8)), peer); s.sendto(packet(q, 5000, mode=3), peer); s.sendto(b'short', peer); s.sendto(packet(q, 10), peer)"
    )
    #expect(abs((duration(try await ask(forged).output["offset"]) + .seconds(10)) / .seconds(1)) < 1)
    for (answer, code) in [
      ("s.sendto(packet(q, 0, stratum=0, ref=b'RATE'), peer)", "host.timeServerRefused"),
      ("s.sendto(packet(q, 0, leap=3), peer)", "host.timeServerUnsynchronised"),
      ("s.sendto(packet(q, 0, stratum=16), peer)", "host.timeServerUnsynchronised"),
      ("s.sendto(bytes(48), peer)", "host.timeServerSilent"),
    ] {
      let (server, port) = try serve(answer)
      let error = try await stepError { _ = try await ask(port) }
      #expect(error.finding.code == code, "\(answer)")
      #expect((error.kind == .broken) == (code == "host.timeServerSilent"))
      server.signal(SIGKILL)
    }
    forging.signal(SIGKILL)
    let unknown = try await stepError { _ = try await run("host.clock", [.init("server", .string("no.such.invalid"))]) }
    #expect(unknown.finding.code == "host.timeServerUnknown")
  }

  @Test(
    "A real chronyd is understood",
    .enabled(if: geteuid() == 0 && access("/usr/sbin/chronyd", X_OK) == 0, "chronyd serves as root alone"))
  func chrony() async throws {
    let folder = try TemporaryFolder()
    let port = UInt16.random(in: 20000...29999)
    try folder.write(
      """
      port \(port)
      cmdport 0
      bindcmdaddress /
      bindaddress 127.0.0.1
      allow 127.0.0.1
      local stratum 7
      pidfile \(folder.path)/chronyd.pid

      """, to: "chrony.conf")
    let server = try LiveProcess("/usr/sbin/chronyd", ["-d", "-x", "-u", "root", "-f", "\(folder.path)/chrony.conf"])
    defer { withExtendedLifetime(server) {} }
    try server.wait { _ in (try? SocketTable.sockets(.udp, at: port))?.isEmpty == false }
    let result = try await ask(.init("serverPort", .int(Int64(port))))
    #expect(result.output["stratum"] == .int(7))
    #expect(duration(result.output["deviation"]) < .seconds(1))
  }

  @Test("What chronyc prints is read with the sign of the clock; its own clock is no source")
  func tracking() {
    let line = "C0000201,192.0.2.1,3,1764331200.1,0.000250000,0.0001,0.0002,-1.5,0.01,0.1,0.02,0.001,64.2,Normal\n"
    let tracking = ChronyTracking(line)
    #expect(tracking?.offset == .microseconds(-250) && tracking?.isSynchronised == true)
    #expect(ChronyTracking(line.replacing("Normal", with: "Not synchronised"))?.isSynchronised == false)
    #expect(ChronyTracking(line.replacing("C0000201", with: "7F7F0101"))?.isSynchronised == false)
    #expect(ChronyTracking("506 Cannot talk to daemon\n") == nil)
    #expect(NTPTime.difference(1 << 32, UInt64.max - (1 << 32) + 1) == .seconds(2))
    #expect(NTPTime.difference(0, 1 << 31) == .milliseconds(-500))
  }

  @Test("The kernel is asked without a server")
  func kernel() async throws {
    let output = try await run("host.clock").output
    #expect((output["maximumError"] == .null) || output["synchronised"] == .bool(true))
    #expect(output["stratum"] == .null && output["delay"] == .null)
  }
}

/// Packages as dpkg and apt know them.
@Suite struct PackageStatusTests {
  /// A system of the test's own, with one package in dpkg's list.
  private func system(_ status: String, version: String = "4.6.1-1") throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(
      "Package: coturn\nStatus: \(status)\nMaintainer: x <x@example.com>\nArchitecture: amd64\nVersion: \(version)\nDescription: x\n\n",
      to: "var/lib/dpkg/status")
    try folder.write("", to: "var/lib/dpkg/available")
    try folder.write("1\n", to: "var/lib/dpkg/info/format")
    return folder
  }

  private func look(_ folder: TemporaryFolder, _ members: Value.Member...) async throws -> StepResult<Value> {
    try await run(
      "package.status", [.init("name", .string("coturn")), .init("root", .string(folder.path))] + members)
  }

  @Test("This host's coturn has the version that dpkg tells")
  func here() async throws {
    let result = try await run("package.status", [.init("name", .string("coturn"))])
    let told = try await run("command.run", [.init("command", text("dpkg-query", "-W", "-f", "${Version}", "coturn"))])
    #expect(result.output["installed"] == .bool(true))
    #expect(result.output["version"] == told.output["stdout"])
  }

  @Test("Holds, half-done work and missing packages are told apart")
  func states() async throws {
    let held = try await look(try system("hold ok installed"))
    #expect(held.objection == nil && held.output["held"] == .bool(true))
    #expect(held.output["version"] == .string("4.6.1-1") && held.output["upgradable"] == .null)
    let half = try await look(try system("install ok half-configured"))
    #expect(half.objection?.finding.code == "package.halfDone")
    #expect(half.objection?.finding.message.contains("it is half-configured") == true)
    let removed = try await look(try system("deinstall ok config-files"))
    #expect(removed.objection?.finding.code == "package.missing")
    let unknown = try await run("package.status", [.init("name", .string("no-such-package"))])
    #expect(unknown.objection?.finding.code == "package.missing" && unknown.output["version"] == .null)
    let module = try #require(Catalog.standard["package.status"])
    #expect(module.objection(.members([.init("name", .string("--help"))]), .seconds(1))?.code == "package.nameInvalid")
  }

  @Test("A unit is enabled if something wants it, and masked if it leads to /dev/null")
  func units() async throws {
    let folder = try system("install ok installed")
    let unit = Value.Member("unit", .string("coturn"))
    try folder.write("[Service]\nExecReload=/bin/kill -HUP $MAINPID\n", to: "usr/lib/systemd/system/coturn.service")
    #expect(try await look(folder, unit).output["unitEnabled"] == .bool(false))
    try folder.write("", to: "etc/systemd/system/multi-user.target.wants/here")
    symlink(
      "/usr/lib/systemd/system/coturn.service",
      "\(folder.path)/etc/systemd/system/multi-user.target.wants/coturn.service")
    #expect(try await look(folder, unit).output["unitEnabled"] == .bool(true))
    #expect(UnitFiles("coturn.service", root: folder.path).values(of: "ExecReload") == ["/bin/kill -HUP $MAINPID"])
    try folder.write("[Service]\nExecReload=\n", to: "etc/systemd/system/coturn.service.d/none.conf")
    #expect(UnitFiles("coturn.service", root: folder.path).values(of: "ExecReload") == [])
    symlink("/dev/null", "\(folder.path)/etc/systemd/system/coturn.service")
    let masked = try await look(folder, unit).output
    #expect(masked["unitMasked"] == .bool(true) && masked["unitEnabled"] == .bool(false))
  }

  @Test("Switches are read, and nothing that may be a secret")
  func switches() async throws {
    let folder = try system("install ok installed")
    try folder.write(
      "# TURNSERVER_ENABLED=0\nTURNSERVER_ENABLED=\"1\" \nexport OTHER=yes\nOPTIONS='--static-auth-secret=north'\nTOKEN=hunter2\n",
      to: "etc/default/coturn")
    #expect(
      try await look(folder).output["switches"]
        == .members([.init("OTHER", .string("yes")), .init("TURNSERVER_ENABLED", .string("1"))]))
  }
}
