/// A program of the host that a module starts by itself.
package struct RequiredProgram: Hashable, Sendable {
  /// As it is looked for in `PATH`.
  package let name: String
  /// The package of Debian and Ubuntu that has it.
  package let package: String
  /// The field of the input with which it is needed; nil where it always is.
  package let field: String?

  package init(_ name: String, package: String, ifGiven field: String? = nil) {
    self.name = name
    self.package = package
    self.field = field
  }

  /// As the reference names it: `journalctl (package systemd), if journal is given`.
  package var text: String {
    "\(name) (package \(self.package))" + (field.map { ", if \($0) is given" } ?? "")
  }
}
