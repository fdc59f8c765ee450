import Files
import Language

extension Project {
  /// What a file is to the project, as a sentence goes on: `it is the project's runbook.yaml`; nil for any other file.
  ///
  /// - Parameter path: of a file that need not be there, links followed.
  func role(ofFile path: String) -> String? {
    guard let folder = try? resolvedPath(parentFolder(of: path)) else { return nil }
    let file = (folder == "/" ? "" : folder) + "/" + lastName(of: path)
    if let state = try? resolvedPath(statePath), file.hasPrefix(state + "/") {
      return "it lies where the project's runs are kept"
    }
    guard let root = try? resolvedPath(root), file.hasPrefix(root + "/") else { return nil }
    let name = String(file.dropFirst(root.count + 1))
    if ["runbook.yaml", ".env"].contains(name) { return "it is the project's \(name)" }
    guard name.hasSuffix(".yaml"), ["runbooks", "checks"].contains(parentFolder(of: name)) else { return nil }
    return "it is a file of the project, \(name)"
  }
}
