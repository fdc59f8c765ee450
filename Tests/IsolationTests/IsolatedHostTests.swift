import Addresses
import Foundation
import Glibc
import Processes
import TestSupport
import Testing

@testable import Isolation

/// An isolated host: what it shows, what it keeps from this one, and that nothing of it is left.
@Suite struct IsolatedHostTests {
  private func host(size: Int = 64 << 20, _ addresses: String...) throws -> IsolatedHost {
    let host = try IsolatedHost(size: size)
    try host.add(addresses: addresses.map { try #require(IPAddress($0)) })
    return host
  }

  private func output(_ host: IsolatedHost, _ program: String, _ arguments: String...) async throws -> String {
    var command = host.command(program, arguments)
    command.timeout = .seconds(20)
    let result = try await command.run()
    #expect(result.ending == .exited(0), "\(program): \(String(decoding: result.standardError.bytes, as: UTF8.self))")
    return String(decoding: result.standardOutput.bytes, as: UTF8.self)
  }

  @Test("It sees this host's files, and what it writes stays with it")
  func files() async throws {
    let folder = try TemporaryFolder()
    try folder.write("old", to: "file")
    let host = try host()
    #expect(try await output(host, "cat", folder.path + "/file") == "old")
    _ = try await output(host, "sh", "-c", "echo new > \(folder.path)/file; rm -r /etc; touch \(folder.path)/other")
    #expect(try await output(host, "cat", folder.path + "/file") == "new\n")
    #expect(folder.read("file") == "old")
    #expect(access(folder.path + "/other", F_OK) != 0)
    #expect(access("/etc/passwd", F_OK) == 0)
  }

  @Test(
    "Its /run is empty, its processes are its own, and it has the addresses that it was given on its loopback interface"
  )
  func surroundings() async throws {
    let host = try host("192.0.2.7", "2001:db8::7", "127.0.0.1")
    #expect(try await output(host, "ls", "-A", "/run") == "")
    let processes = try await output(host, "sh", "-c", "ls -d /proc/[0-9]*")
    #expect(processes.split(separator: "\n").count < 6, "\(processes)")
    let addresses = try await output(host, "ip", "-brief", "address")
    #expect(addresses.split(separator: "\n").count == 1, "\(addresses)")
    for address in ["192.0.2.7/32", "2001:db8::7/128", "127.0.0.1/8"] { #expect(addresses.contains(address)) }
    #expect(try await output(host, "ip", "route", "show", "default") == "")
  }

  @Test("Who sends to one of its addresses has the client's, if it was given one")
  func client() async throws {
    let host = try IsolatedHost(size: 64 << 20)
    let addresses = ["10.9.8.7", "2001:db8::7"].compactMap { IPAddress($0) }
    try host.add(addresses: addresses, client: IPAddress("198.51.100.77"))
    #expect(try await output(host, "ip", "route", "get", "10.9.8.7").contains("src 198.51.100.77"))
    #expect(try await output(host, "ip", "-6", "route", "get", "2001:db8::7").contains("src 2001:db8::7"))
  }

  @Test("Neither settings of the kernel nor the host's processes can be reached, by root neither")
  func closed() async throws {
    let host = try host()
    let root = try #require(ServiceAccount("root"))
    for script in [
      "echo 1 > /proc/sys/kernel/panic", "echo b > /proc/sysrq-trigger", "mount -t tmpfs none /mnt",
      "kill -0 \(getpid())",
    ] {
      let result = try await host.command("sh", ["-c", script], as: root).run()
      #expect(result.ending != .exited(0), "\(script)")
    }
  }

  @Test("A Unix socket and a pipe of this host lead nowhere from it")
  func sockets() async throws {
    let folder = try TemporaryFolder()
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = folder.path + "/s"
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0 && listen(listener, 5) == 0)
    mkfifo(folder.path + "/pipe", 0o600)
    let host = try host()
    let client = """
      import socket,sys
      s = socket.socket(socket.AF_UNIX)
      try: s.connect('\(path)')
      except OSError: print('refused')
      """
    #expect(try await output(host, "python3", "-c", client) == "refused\n")
    let reader = open(folder.path + "/pipe", O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    // Nobody reads the pipe that it sees: opening it to write waits, and opening it without waiting fails.
    let writer =
      "import os\ntry: os.open('\(folder.path)/pipe', os.O_WRONLY | os.O_NONBLOCK)\nexcept OSError: print('nobody')"
    #expect(try await output(host, "python3", "-c", writer) == "nobody\n")
  }

  @Test("Who fills its disk fills only that, and is told so")
  func full() async throws {
    let host = try host(size: 8 << 20)
    let result = try await host.command("dd", ["if=/dev/zero", "of=/var/tmp/fill", "bs=1M", "count=64"]).run()
    #expect(result.ending == .exited(1))
    #expect(String(decoding: result.standardError.bytes, as: UTF8.self).contains("No space left on device"))
    #expect(access("/var/tmp/fill", F_OK) != 0)
  }

  @Test("Everything in it ends with it, also what has forked away")
  func end() async throws {
    let host = try host()
    _ = try await output(host, "sh", "-c", "setsid sleep 4711 >/dev/null 2>&1 & :")
    // The shell may end before setsid has become sleep.
    let end = ContinuousClock.now + .seconds(10)
    while host.processes().map(\.name) != ["sleep"], .now < end { try await Task.sleep(for: .milliseconds(10)) }
    #expect(host.processes().map(\.name) == ["sleep"])
    let namespaces = try ["net", "mnt", "pid", "ipc"].map {
      try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(host.holder.pid)/ns/\($0)")
    }
    #expect(host.end())
    #expect(!host.holder.isRunning)
    #expect(!host.isRunning)
    #expect(Self.holders(of: namespaces) == [])
  }

  @Test("It is gone with the last reference to it")
  func released() throws {
    var host: IsolatedHost? = try host()
    let holder = try #require(host?.holder)
    #expect(holder.isRunning)
    host = nil
    #expect(!holder.isRunning)
  }

  @Test("Two at a time know nothing of each other, and each ends alone")
  func two() async throws {
    let (one, other) = (try host("192.0.2.1"), try host("192.0.2.2"))
    #expect(one.end())
    #expect(other.isRunning)
    #expect(try await output(other, "ip", "-brief", "address").contains("192.0.2.2"))
    #expect(try await !output(other, "ip", "-brief", "address").contains("192.0.2.1"))
  }

  @Test("A program runs in it as the service's user, in its groups, without capabilities")
  func account() async throws {
    let host = try host()
    let nobody = try #require(ServiceAccount("nobody"))
    let result = try await host.command("sh", ["-c", "id -u; grep CapBnd /proc/self/status"], as: nobody).run()
    let text = String(decoding: result.standardOutput.bytes, as: UTF8.self)
    #expect(text.hasPrefix("\(nobody.user)\n") && text.contains("0000000000000000"), "\(text)")
    #expect(ServiceAccount("no-such-user-here") == nil)
  }

  @Test("Lines of mountinfo that matter are those of file systems of disks")
  func mounts() {
    #expect(MountPoints.folder(ofLine: "36 35 98:0 / /usr rw,noatime master:1 - ext4 /dev/root rw") == "/usr")
    #expect(MountPoints.folder(ofLine: "36 35 98:0 / / rw - ext4 /dev/root rw") == nil)
    #expect(MountPoints.folder(ofLine: "36 35 0:5 / /run/lock rw - ext4 none rw") == nil)
    #expect(MountPoints.folder(ofLine: "36 35 0:5 / /tmp rw shared:2 - tmpfs none rw") == nil)
    #expect(MountPoints.folder(ofLine: "36 35 98:0 / /no\\040such rw - ext4 /dev/root rw") == nil)
  }

  /// Processes that are in one of the namespaces.
  private static func holders(of namespaces: [String]) -> [String] {
    let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.filter { Int($0) != nil } ?? []
    return pids.filter { pid in
      ["net", "mnt", "pid", "ipc"].contains { kind in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(kind)")).map(namespaces.contains)
          == true
      }
    }
  }
}
