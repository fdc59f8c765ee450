import Glibc

/// What the kernel says of the file system that holds a path. Every call of it may hang as long as the file system does.
struct FileSystemLook: Sendable {
  var status = statvfs()
  /// The kernel's number of the mount; nil if `/proc` does not tell.
  var mountID: String?

  /// `O_PATH`, which Swift does not import: the file is named, not opened.
  private static let pathOnly: Int32 = 0o10_000_000

  /// The error number is that of statvfs(3) or of open(2).
  static func at(_ path: String) -> Result<FileSystemLook, SystemFailure> {
    var look = FileSystemLook()
    // This one lets an automounter mount what is not mounted yet; a path opened as O_PATH does not.
    guard statvfs(path, &look.status) == 0 else { return .failure(SystemFailure(number: errno)) }
    let descriptor = open(path, pathOnly | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(SystemFailure(number: errno)) }
    defer { close(descriptor) }
    guard fstatvfs(descriptor, &look.status) == 0 else { return .failure(SystemFailure(number: errno)) }
    let lines = (try? ProcFile.text("/proc/self/fdinfo/\(descriptor)"))?.split(separator: "\n") ?? []
    look.mountID = lines.first { $0.hasPrefix("mnt_id:") }?.split(separator: "\t").last.map(String.init)
    return .success(look)
  }

  var isReadOnly: Bool { status.f_flag & UInt(ST_RDONLY) != 0 }
}

struct SystemFailure: Error {
  let number: CInt
}
