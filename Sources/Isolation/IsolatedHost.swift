package import Addresses
import CIsolation
import Glibc
package import Processes
import Synchronization

/// A host beside this one: it sees this host's file systems, and what it writes stays with it, in memory. It has processes and a
/// network of its own, with a loopback interface and nothing else, an empty `/run`, and no devices but `/dev/null` and the like.
///
/// A process, the holder, keeps it. It ends when ``end()`` is called, when the last reference goes, and when this process ends,
/// however that comes about; all that runs in it ends with it, and nothing of it is left.
package final class IsolatedHost: Sendable {
  /// The first process of it, as this host counts.
  package let holder: ProcessIdentity
  private let life: Mutex<Int32?>

  /// Makes one.
  ///
  /// - Parameters:
  ///   - size: how many bytes may be written on it; as many again in `/run`.
  ///   - image: a folder of this host, the root file system of an image, which is seen at ``image``; none if nil.
  /// - Throws: ``IsolationError``; nothing is left then.
  package init(size: Int, image: String? = nil) throws(IsolationError) {
    guard geteuid() == 0 else { throw .notRoot }
    let mounts = MountPoints.ofDisks().map { strdup($0) }
    let folder = image.flatMap { strdup($0) }
    defer { for text in mounts + [folder] { free(text) } }
    let texts: [UnsafePointer<CChar>?] = mounts.map { UnsafePointer($0) } + [nil]
    var descriptor: Int32 = -1
    var failure = isolation_failure()
    // No other child is started meanwhile: it would hold copies of the pipes between fork and exec.
    let pid = RunningCommands.exclusively {
      "/run".withCString { scratch in
        texts.withUnsafeBufferPointer { texts in
          var request = isolation_request(
            scratch: scratch, size: UInt64(max(1 << 20, size)), mounts: texts.baseAddress, image: folder)
          return isolation_start(&request, &descriptor, &failure)
        }
      }
    }
    guard pid > 0 else { throw IsolationError(failure) }
    guard let holder = ProcessIdentity(pid: pid) else {
      close(descriptor)
      throw IsolationError(.system, "the first process of the isolated host cannot be found", advice: "Look at /proc.")
    }
    self.holder = holder
    life = Mutex(descriptor)
  }

  deinit { _ = end() }

  /// Ends it and all that runs in it. Blocks until nothing is left, which takes some milliseconds; false if a process hangs in the
  /// kernel.
  @discardableResult
  package func end() -> Bool {
    let descriptor = life.withLock { life in
      defer { life = nil }
      return life
    }
    guard let descriptor else { return true }
    close(descriptor)
    return holder.end(grace: .seconds(5))
  }

  /// Gives its loopback interface addresses besides 127.0.0.1 and ::1.
  ///
  /// - Parameter client: an address more, which whoever sends to one of the others has; nil: he has the one that he sends to.
  package func add(addresses: [IPAddress], client: IPAddress? = nil) throws(IsolationError) {
    let numbers = addresses.map(isolation_address.init)
    let error =
      if var client = client.map(isolation_address.init) {
        isolation_set_addresses(networkNamespace, numbers, Int32(numbers.count), &client)
      } else {
        isolation_set_addresses(networkNamespace, numbers, Int32(numbers.count), nil)
      }
    guard error == 0 else {
      throw IsolationError(
        isRunning ? .system : .gone,
        "the isolated network cannot have the addresses \(addresses.map(\.description).joined(separator: ", ")): \(String(errorNumber: error))",
        advice: "Look at the addresses; for those of IPv6, whether this kernel has it.")
    }
  }

  package var isRunning: Bool { life.withLock { $0 != nil } && holder.isRunning }

  /// The file of its network namespace, for probes.
  package var networkNamespace: String { "/proc/\(holder.pid)/ns/net" }

  /// Its root, as this host sees it: for folders that only root can have written to. A symbolic link in it that begins with `/` leads
  /// to this host's files, and not to its own.
  package var root: String { "/proc/\(holder.pid)/root" }

  /// A command that runs in it.
  ///
  /// - Parameters:
  ///   - program: looked for in it: a path, or a name in its `PATH`.
  ///   - account: who it runs as, without any capability; as root, with all of them, if nil.
  package func command(_ program: String, _ arguments: [String] = [], as account: ServiceAccount? = nil) -> Command {
    var words = ["--target", "\(holder.pid)", "--mount", "--net", "--pid", "--ipc", "--"]
    if let account {
      words += ["setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--init-groups"]
      words += Self.limits(account)
    }
    return Command("nsenter", words + [program] + arguments)
  }

  /// The place at which an image is seen on it, copy-on-write like all the rest.
  package static let image = isolation_image_place

  /// A command that runs in it, with the image for its root.
  ///
  /// - Parameters:
  ///   - program: its path in the image.
  ///   - account: who it runs as, in all its groups of this host, without any capability. Users of the image mean nothing here.
  package func imageCommand(_ program: String, _ arguments: [String], as account: ServiceAccount) -> Command {
    let groups = account.groups.map { "+\($0)" }.joined(separator: ",")
    // chroot(1) needs these three; they are lost with the change of the user. Cron's PATH does not have its folder.
    let words =
      Self.limits(account, keeping: ",+setuid,+setgid,+sys_chroot") + [
        "/usr/sbin/chroot", "--userspec=+\(account.user):+\(account.group)", "--groups=\(groups)", Self.image, program,
      ]
    return command("setpriv", words + arguments)
  }

  /// What setpriv(1) takes away.
  private static func limits(_ account: ServiceAccount, keeping needed: String = "") -> [String] {
    // Root keeps what a server needs that changes to another user itself.
    let kept = account.user == 0 ? ",+setuid,+setgid,+chown,+dac_override,+fowner,+net_bind_service" : ""
    return ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all\(kept)\(needed)", "--"]
  }

  /// The numbers and names of the processes in it, without the holder.
  package func processes() -> [(pid: Int32, name: String)] {
    guard let folder = opendir("\(root)/proc") else { return [] }
    defer { closedir(folder) }
    var found: [(Int32, String)] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let pid = Int32(name), pid > 1, let comm = Self.comm(of: "\(root)/proc/\(pid)") else { continue }
      found.append((pid, comm))
    }
    return found
  }

  private static func comm(of folder: String) -> String? {
    guard let file = fopen("\(folder)/comm", "re") else { return nil }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 64)
    guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension isolation_address {
  fileprivate init(_ address: IPAddress) {
    self.init()
    let octets = address.octets
    count = UInt8(octets.count)
    withUnsafeMutableBytes(of: &self.octets) { $0.copyBytes(from: octets) }
  }
}
