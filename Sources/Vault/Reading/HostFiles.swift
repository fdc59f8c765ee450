import Glibc

/// Files of the host by their paths as bytes: names need not be UTF-8.
enum HostFiles {
  /// Why the system refused, by errno(3).
  struct Refusal: Error {
    let number: CInt

    static var last: Refusal { Refusal(number: errno) }

    /// As it stands behind a path: `it does not exist`.
    var reason: String {
      switch number {
      case ENOENT, ENOTDIR: "it does not exist"
      case EACCES, EPERM: "this user may not read it"
      case ELOOP: "its links lead in a circle"
      default: "it cannot be read: \(String(cString: strerror(number)))"
      }
    }
  }

  struct Status: Hashable {
    enum Kind {
      case file
      case folder
      case link
      case other
    }

    let kind: Kind
    let mode: UInt32
    let user: UInt32
    let group: UInt32
    let size: Int
    let device: UInt
    let inode: UInt
    let modifiedSeconds: Int
    let modifiedNanoseconds: Int

    init(_ status: stat) {
      kind =
        switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFLNK: .link
        default: .other
        }
      mode = status.st_mode & 0o7777
      user = status.st_uid
      group = status.st_gid
      size = Int(status.st_size)
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      modifiedSeconds = status.st_mtim.tv_sec
      modifiedNanoseconds = status.st_mtim.tv_nsec
    }

    func isSameFile(as other: Status) -> Bool { device == other.device && inode == other.inode }

    /// Whether a file's content may have changed between two looks. The time of the last change of its attributes does not count:
    /// it moves with every new link.
    func hasSameContent(as other: Status) -> Bool {
      size == other.size && inode == other.inode && device == other.device
        && modifiedSeconds == other.modifiedSeconds && modifiedNanoseconds == other.modifiedNanoseconds
    }
  }

  static func status(_ path: [UInt8], following: Bool) throws(Refusal) -> Status {
    var found = stat()
    let result = path.withCString { following ? stat($0, &found) : lstat($0, &found) }
    guard result == 0 else { throw .last }
    return Status(found)
  }

  /// The names in a folder, sorted byte for byte.
  static func names(_ path: [UInt8]) throws(Refusal) -> [[UInt8]] {
    guard let folder = path.withCString({ opendir($0) }) else { throw .last }
    defer { closedir(folder) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
        name.withMemoryRebound(to: UInt8.self, capacity: 256) { bytes in
          Array(
            UnsafeBufferPointer(
              start: bytes, count: strnlen(UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self), 256)))
        }
      }
      if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
    }
    guard errno == 0 else { throw .last }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// What a link points to.
  static func target(_ path: [UInt8]) throws(Refusal) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let capacity = buffer.count
    let count = path.withCString { path in
      buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), capacity) }
    }
    guard count >= 0 else { throw .last }
    return Array(buffer.prefix(count))
  }
}

/// A regular file of the host, open for reading.
struct OpenHostFile: ~Copyable {
  private let descriptor: CInt

  /// Throws if it is no regular file: nothing waits for a pipe.
  init(_ path: [UInt8]) throws(ContentFailure) {
    let opened = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    guard opened >= 0 else { throw ContentFailure(HostFiles.Refusal.last.reason) }
    var found = stat()
    guard fstat(opened, &found) == 0, HostFiles.Status(found).kind == .file else {
      close(opened)
      throw ContentFailure("it is no regular file any more")
    }
    descriptor = opened
  }

  deinit { close(descriptor) }

  borrowing func status() throws(ContentFailure) -> HostFiles.Status {
    var found = stat()
    guard fstat(descriptor, &found) == 0 else { throw ContentFailure(HostFiles.Refusal.last.reason) }
    return HostFiles.Status(found)
  }

  /// Fills the buffer's first `count` bytes from an offset on, as far as there is anything.
  borrowing func read(_ count: Int, into buffer: inout [UInt8], at offset: Int) throws(ContentFailure) -> Int {
    var filled = 0
    while filled < count {
      let got = buffer.withUnsafeMutableBytes { buffer in
        pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset + filled))
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw ContentFailure(HostFiles.Refusal.last.reason) }
      if got == 0 { break }
      filled += got
    }
    return filled
  }
}

/// Why a file's content could not be had, as it stands behind its path.
struct ContentFailure: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

extension [UInt8] {
  /// The bytes as C has texts. A zero byte would end them.
  func withCString<Result>(_ use: (UnsafePointer<CChar>) -> Result) -> Result {
    (map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { use($0.baseAddress!) }
  }
}
