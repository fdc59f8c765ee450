/// A program of the host that a module starts by itself.
package struct RequiredProgram: Hashable, Sendable {
  /// As it is looked for in `PATH`.
  package let name: String
  /// The package of Debian and Ubuntu that has it.
  package let package: String
  /// The field of the input with which it is needed, with full stops where it lies in a record; nil if it always is.
  package let field: String?
  /// The process beside which it is needed, by the name that the kernel keeps; nil if it always is.
  package let process: String?
  /// Whether the module does its work without it, and knows less.
  package let isOptional: Bool

  package init(
    _ name: String, package: String, ifGiven field: String? = nil, ifRunning process: String? = nil,
    isOptional: Bool = false
  ) {
    self.name = name
    self.package = package
    self.field = field
    self.process = process
    self.isOptional = isOptional
  }

  /// As the reference names it: `journalctl (package systemd), if journal is given`.
  package var text: String {
    "\(name) (package \(self.package))" + (field.map { ", if \($0) is given" } ?? "")
      + (process.map { ", if \($0) runs" } ?? "") + (isOptional ? ", if it is there" : "")
  }
}
