import Glibc
import Processes
import Schema
import Steps

/// What a path leads to, with all folders and links on the way.
struct FileLook: Sendable {
  /// The folders on the way from the root on, the file itself last.
  let way: [FileStatus]
  let status: stat
  let isReadOnly: Bool

  /// Why there is nothing to look at.
  enum Failure: Error, Hashable {
    /// The path, or the link's goal, is not there.
    case missing(String)
    case unreadable(String, CInt)
  }

  private init(_ path: String) throws(Failure) {
    do throws(FileStatus.Failure) { way = try FileStatus.way(to: path) } catch {
      // A folder on the way that is a file has nothing below it.
      throw [ENOENT, ENOTDIR].contains(error.number) ? .missing(error.path) : .unreadable(error.path, error.number)
    }
    var found = stat()
    guard stat(way.last?.path ?? path, &found) == 0 else {
      throw errno == ENOENT ? .missing(path) : .unreadable(path, errno)
    }
    status = found
    var system = statvfs()
    isReadOnly = statvfs(path, &system) == 0 && system.f_flag & UInt(ST_RDONLY) != 0
  }

  /// Looks at a path, for as long as the step goes on: a file system that does not answer is named then.
  ///
  /// Throws `broken` if this process may not look, or the file system hangs. Missing files are a result.
  static func at(_ path: String) async throws(StepError) -> Result<FileLook, Failure> {
    let look = await onAbandonedThread { () -> Result<FileLook, Failure> in
      do throws(Failure) { return .success(try FileLook(path)) } catch { return .failure(error) }
    }
    guard let look else { throw StepError(hangingAt: path) }
    if case .failure(.unreadable(let place, let number)) = look { throw .unreadable(place, number) }
    return look
  }

  /// As ``at(_:)``, for what has to be there. Throws `failed` with `file.missing` where it is not.
  static func existing(at path: String) async throws(StepError) -> FileLook {
    switch try await at(path) {
    case .success(let look): return look
    case .failure(.missing(let place)), .failure(.unreadable(let place, _)): throw .missing(path, place)
    }
  }

  var kind: FileKind {
    switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    case S_IFSOCK: .socket
    case S_IFIFO: .pipe
    default: .device
    }
  }

  /// Where it really lies, without links.
  var place: String { way.last?.path ?? "/" }
}

/// What can lie at a path, links followed.
package enum FileKind: String, CaseIterable, Hashable, Sendable {
  case file
  case folder
  case socket
  case pipe
  case device
}

extension StepError {
  fileprivate static func unreadable(_ path: String, _ number: CInt) -> StepError {
    .broken(
      "host.pathUnreadable", "\(path) cannot be looked at: \(String(errorNumber: number))",
      advice: "Run this as a user who may enter its folder.")
  }

  /// - Parameter place: what is not there: the path itself, or where a link leads to.
  static func missing(_ path: String, _ place: String) -> StepError {
    let way: Sentence = place == path ? "" : " (it leads to \(place), which is not there)"
    return .failed("file.missing", "there is no \(path)\(way)", advice: "Check the path, and what should have made it.")
  }
}
