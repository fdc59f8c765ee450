import Glibc
import Journal
import Processes
import Schema
package import Steps

/// How full a file system is.
package struct HostDisk: StepModule {
  package struct Input: Hashable, Sendable {
    package var path: String
  }

  package struct Output: Hashable, Sendable {
    package var path: String
    package var mountPoint: String
    /// The device, or `server:/export`, or what else is mounted.
    package var device: String
    /// Its type: `ext4`, `nfs4`, …
    package var fileSystem: String
    package var readOnly: Bool
    /// Bytes.
    package var total: Int
    /// Bytes that an ordinary user may still write.
    package var available: Int
    /// Of what ordinary users may have, as df(1) counts.
    package var used: Double
    /// Nil if the file system does not count inodes.
    package var inodesUsed: Double?
  }

  package static let declaration = ModuleDeclaration(
    "host.disk", "How full the file system is that holds a path, and where it is mounted.",
    discussion: """
      A path on a volume that is not mounted lies on the file system above it, mostly the root's, which may have room:
      expect `mountPoint`. A file system without a size (`/proc`, an automount point whose volume is not mounted) is an error,
      `host.noSize`. One that does not answer within the step's timeout is named.
      """,
    effect: .observe, judges: false, files: ["path"],
    deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("path", \.path, .path, default: "/", "A file or folder on the file system.")
    ),
    output: Record(
      Output.init,
      Field("path", \.path, .path, "The path that was asked for."),
      Field("mountPoint", \.mountPoint, .path, "Where the file system is mounted."),
      Field("device", \.device, .string, "What is mounted there: a device, or `server:/export`."),
      Field("fileSystem", \.fileSystem, .string, "Its type, such as `ext4` or `nfs4`."),
      Field("readOnly", \.readOnly, .bool, "True if nothing can be written to it."),
      Field("total", \.total, .byteSize, "Size of the file system."),
      Field("available", \.available, .byteSize, "What an ordinary user may still write."),
      Field("used", \.used, .percent, "Used part of what ordinary users may have, as df counts."),
      Field("inodesUsed", \.inodesUsed, .optional(.percent), "Used part of the inodes, if they are counted.")
    ),
    examples: [
      .init(
        "The log volume has room", with: "path: /var/log",
        expect: ["output.mountPoint == '/var/log'", "output.used < 90.0", "output.available > bytesize('1GiB')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let path = input.path
    guard let look = await onAbandonedThread({ FileSystemLook.at(path) }) else {
      throw StepError(hangingAt: path)
    }
    let found: FileSystemLook
    switch look {
    case .success(let look): found = look
    case .failure(let failure): throw Self.unreadable(path, failure)
    }
    guard let mount = try MountTable.own().last(where: { $0.id == found.mountID }) else {
      throw .broken(
        "host.mountUnknown", "the table of mounts does not tell which file system holds \(path)",
        advice: "Check that /proc is the kernel's own: /proc/self/mountinfo and /proc/self/fdinfo belong together.")
    }
    let status = found.status
    guard status.f_blocks > 0 else { throw Self.noSize(path, mount) }
    let unit = Int(status.f_frsize)
    let usedBlocks = status.f_blocks - status.f_bfree
    return .done(
      Output(
        path: path, mountPoint: mount.point, device: mount.device, fileSystem: mount.fileSystem,
        readOnly: found.isReadOnly, total: Int(status.f_blocks) * unit, available: Int(status.f_bavail) * unit,
        used: percentage(Int(usedBlocks), of: Int(usedBlocks + status.f_bavail)),
        inodesUsed: status.f_files == 0
          ? nil : percentage(Int(status.f_files - status.f_ffree), of: Int(status.f_files))))
  }

  private static func unreadable(_ path: String, _ failure: SystemFailure) -> StepError {
    let advice =
      switch failure.number {
      case ESTALE, EIO, ENOTCONN, EHOSTDOWN, ETIMEDOUT:
        "The file system itself fails: look at the kernel's log (`dmesg`), and at its server if it comes from the network."
      default: "Check that the path exists on this host and that this user may enter its folder."
      }
    return .broken(
      "host.pathUnreadable", "\(path) cannot be looked at: \(String(errorNumber: failure.number))", advice: advice)
  }

  private static func noSize(_ path: String, _ mount: Mount) -> StepError {
    .broken(
      "host.noSize", "the file system at \(mount.point) (\(mount.fileSystem)), which holds \(path), has no size",
      advice: mount.fileSystem == "autofs"
        ? "Its volume is not mounted: mount it, and see what its automounter logs."
        : "It keeps no data on a disk. Give a path on the volume you mean, and check that it is mounted: findmnt \(path)"
    )
  }
}
