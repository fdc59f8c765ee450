import Files
import Glibc

/// The files of a new project, which validates as it is.
struct FirstProject {
  /// The project's folder; made if it is not there.
  let folder: String
  let template: ProjectTemplate

  struct TemplateFile {
    /// Relative to the folder.
    let path: String
    let bytes: [UInt8]
    /// Permission bits, before the umask.
    var mode: mode_t = 0o644
  }

  /// Writes the files, or none of them, and gives what was written.
  ///
  /// Throws if one of them is there already or its folder is a link, naming all such, and if one cannot be written.
  func write() throws(CommandFailure) -> [TemplateFile] {
    do throws(FileError) { try Folder.makeAll(folder, .masked(0o755)) } catch { throw Self.failure(error) }
    let files = template.files(named: try name())
    let taken: [String]
    do throws(FileError) { taken = try obstacles(to: files) } catch { throw Self.failure(error) }
    guard taken.isEmpty else {
      throw CommandFailure(
        .invalid,
        "there is already \(taken.joined(separator: ", ")) in \(folder); nothing was written",
        advice:
          "init never writes over a file, nor through a folder that is a link: name another folder, as in runbook init FOLDER"
      )
    }
    var written: [String] = []
    do throws(FileError) {
      for file in files {
        try create(file)
        written.append("\(folder)/\(file.path)")
      }
    } catch {
      for path in written { try? Folder.remove(path) }
      throw Self.failure(error)
    }
    return files
  }

  /// The folder's own name.
  private func name() throws(CommandFailure) -> String {
    let resolved: String
    do throws(FileError) { resolved = try resolvedPath(folder) } catch { throw Self.failure(error) }
    return resolved == "/" ? "runbooks" : lastName(of: resolved)
  }

  /// Files that are there already, and folders that are links: what is behind them is no part of the project.
  private func obstacles(to files: [TemplateFile]) throws(FileError) -> [String] {
    var obstacles: [String] = []
    for file in files where try FileMetadata.of("\(folder)/\(file.path)") != nil { obstacles.append(file.path) }
    for parent in Set(files.map { parentFolder(of: $0.path) }).subtracting(["."]).sorted()
    where try FileMetadata.of("\(folder)/\(parent)")?.kind == .link { obstacles.append(parent) }
    return obstacles
  }

  /// Writes a file that is not there yet, whole or not at all; the folder that it lies in is made.
  private func create(_ file: TemplateFile) throws(FileError) {
    let path = "\(folder)/\(file.path)"
    try Folder.makeAll(parentFolder(of: path), .masked(0o755))
    let surroundings = try Folder(parentFolder(of: path), followingLinks: true)
    try surroundings.write(file.bytes, to: lastName(of: path), .masked(file.mode), replacing: .nothing)
  }

  private static func failure(_ error: FileError) -> CommandFailure { CommandFailure(.invalid, error.message) }
}
