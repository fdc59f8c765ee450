/// A program to run as a child of ours, and the bounds within which it runs.
package struct Command: Sendable {
  /// A secret for the child. It never stands in the argument vector, which every user of the machine can read.
  package struct Credential: Sendable, CustomStringConvertible {
    /// How the child receives it.
    package enum Delivery: Sendable {
      /// As the value of the variable. Only for programs that know nothing else: a child's children inherit it.
      case variable
      /// As a file in memory, open for the child and its children alone; the variable holds its path, `/dev/fd/N`.
      case descriptor
    }

    /// The environment variable's name.
    package let variable: String
    package let secret: [UInt8]
    package let delivery: Delivery

    package init(variable: String, secret: [UInt8], delivery: Delivery) {
      self.variable = variable
      self.secret = secret
      self.delivery = delivery
    }

    /// The variable's name; the secret never.
    package var description: String { "\(variable)=…" }
  }

  /// A path (with a slash), or a name to look for in the child's `PATH`.
  package var executable: String
  /// Its arguments, the first of which is not its name. Each arrives as it stands: no shell reads it.
  package var arguments: [String]
  /// Variables besides those of `CleanEnvironment`, or in their place.
  package var environment: [String: String] = [:]
  package var credentials: [Credential] = []
  /// Where it starts; our own working directory when nil.
  package var directory: String?
  /// How long it may take before it is ended, by the clock that goes on while the machine sleeps. Without end when nil.
  package var timeout: Duration?
  /// How many bytes are kept of each of its two outputs, from the start. The rest is read, counted and dropped.
  package var outputLimit = 1 << 20
  /// True if the observer gets all of standard output, however much it is, and nothing of it is kept.
  package var streamsStandardOutput = false
  /// How long it has between TERM and KILL.
  package var terminationGrace: Duration = .seconds(10)

  package init(_ executable: String, _ arguments: [String] = []) {
    self.executable = executable
    self.arguments = arguments
  }
}
