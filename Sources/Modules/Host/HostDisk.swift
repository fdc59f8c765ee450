import Glibc
import Journal
import Schema
package import Steps

/// How full a file system is.
package struct HostDisk: StepModule {
  package struct Input: Hashable, Sendable {
    package var path: String
  }

  package struct Output: Hashable, Sendable {
    package var path: String
    /// Bytes.
    package var total: Int
    /// Bytes that an ordinary user may still write.
    package var available: Int
    /// Of what ordinary users may have, as df(1) counts.
    package var used: Double
    /// Nil where the file system does not count inodes.
    package var inodesUsed: Double?
  }

  package static let declaration = ModuleDeclaration(
    "host.disk", "How full the file system is that holds a path.", effect: .observe, judges: false,
    deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("path", \.path, .path, default: "/", "A file or folder on the file system.")
    ),
    output: Record(
      Output.init,
      Field("path", \.path, .path, "The path that was asked for."),
      Field("total", \.total, .byteSize, "Size of the file system."),
      Field("available", \.available, .byteSize, "What an ordinary user may still write."),
      Field("used", \.used, .percent, "Used part of what ordinary users may have, as df counts."),
      Field("inodesUsed", \.inodesUsed, .optional(.percent), "Used part of the inodes, where they are counted.")
    ),
    examples: [
      .init(
        "The log volume has room", with: "path: /var/log",
        expect: ["output.used < 90.0", "output.available > bytesize('1GiB')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    var status = statvfs()
    guard statvfs(input.path, &status) == 0 else {
      let reason = String(cString: strerror(errno))
      throw .broken(
        "host.path-unreadable", "\(input.path) cannot be looked at: \(reason)",
        advice: "Check that the path exists on this host and that this user may enter its folder.")
    }
    let unit = Int(status.f_frsize)
    let usedBlocks = status.f_blocks - status.f_bfree
    return .done(
      Output(
        path: input.path, total: Int(status.f_blocks) * unit, available: Int(status.f_bavail) * unit,
        used: percentage(Int(usedBlocks), of: Int(usedBlocks + status.f_bavail)),
        inodesUsed: status.f_files == 0
          ? nil : percentage(Int(status.f_files - status.f_ffree), of: Int(status.f_files))))
  }
}
