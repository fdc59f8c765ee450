import Files
import Glibc
import Isolation
import Processes
import Schema
import Steps

/// The root file system of an image, as it is seen on an isolated host.
///
/// Its symbolic links are followed as one does who has it for his root: none leads out of it.
struct DrillImage: Sendable {
  let host: IsolatedHost

  /// The folder of an image, without links.
  static func folder(_ path: String) throws(StepError) -> String {
    let folder: String
    do throws(FileError) { folder = try resolvedPath(path) } catch { throw unfit(error.message) }
    var status = stat()
    guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { throw unfit("\(path) is not a folder") }
    return folder
  }

  static func unfit(_ what: String) -> StepError {
    .notStarted(
      "drill.imageUnfit", "no server can be booted from the image: \(what)",
      advice:
        "Give the folder into which the whole root file system was unpacked: `docker export` of a container that was made from the image, with `tar -x`."
    )
  }

  /// The folders of programs, as an image has them in its `PATH`.
  private static let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

  /// The path of a program in it: of a path, or of a name.
  func program(_ name: String) throws(StepError) -> String {
    let candidates = name.contains("/") ? [name] : Self.folders.map { "\($0)/\(name)" }
    for candidate in candidates {
      guard let path = resolved(candidate) else { continue }
      var status = stat()
      if lstat(root + path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o111 != 0 {
        return path
      }
    }
    throw Self.unfit("it has no program \(name)")
  }

  /// The image's root, as this host reaches it.
  var root: String { host.root + IsolatedHost.image }

  /// The place of an image's path on the isolated host.
  func place(of path: String) throws(StepError) -> String {
    guard let path = resolved(path) else { throw Self.unfit("the symbolic links of \(path) form a loop") }
    return IsolatedHost.image + path
  }

  /// The same for what is put there: a link by the last name is not followed.
  func place(ofNew path: String) throws(StepError) -> String {
    let parent = try place(of: parentFolder(of: path))
    return "\(parent)\(parent.hasSuffix("/") ? "" : "/")\(lastName(of: path))"
  }

  /// As many links as the kernel follows.
  private static let mostLinks = 40

  /// The path to which one leads in it; parts that are not there stay as they are. Nil if there are too many links.
  private func resolved(_ path: String) -> String? {
    var rest: [Substring] = path.split(separator: "/").reversed()
    var found: [Substring] = []
    var links = 0
    while let part = rest.popLast() {
      if part == "." { continue }
      if part == ".." {
        _ = found.popLast()
        continue
      }
      found.append(part)
      // All before the last are no links any more, so that this host's links are never followed.
      guard let target = linkTarget(root + "/" + found.joined(separator: "/")) else { continue }
      links += 1
      guard links <= Self.mostLinks else { return nil }
      _ = found.popLast()
      if target.hasPrefix("/") { found = [] }
      rest += target.split(separator: "/").reversed()
    }
    return "/" + found.joined(separator: "/")
  }
}
