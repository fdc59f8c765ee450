package import Journal
package import Schema

/// What is known of a module before it runs. The checker, JSON Schema, `runbook modules`, the generated reference and
/// completions all read it; nothing about a module is said twice.
package struct ModuleDeclaration<Input: Sendable, Output: Sendable>: Sendable {
  /// `subject.verb`, such as `turn.relay`.
  package var name: String
  /// Raised with every change after which a journal of the older version could not be resumed.
  package var version: Int
  /// One line for people, with a capital letter and a full stop.
  package var summary: String
  /// More, in Markdown: what it needs, what its failures mean. May be empty.
  package var discussion: String
  package var effect: Effect
  /// True if what it does depends on its input alone, so that a step that only reads may declare `effect: observe`.
  package var mayOnlyObserve: Bool
  package var repetition: Repetition
  /// True if the module itself can end in `fail`, so that a step without `expect` asserts something.
  package var judges: Bool
  /// What it needs of the project besides its input.
  package var services: Set<Service>
  /// The programs of the host that it starts by itself. One that a step names in its input is not among them.
  package var programs: [RequiredProgram]
  /// The fields of the input that name files which must be there when the step begins, with full stops where one lies in a record. A
  /// pattern of names is no such file.
  package var files: [String]
  /// The timeout of one try where a step declares none.
  package var deadline: Duration
  package var input: Record<Input>
  package var output: Record<Output>
  package var examples: [Example]

  /// One step as people would write it; decoded by the conformance suite, and printed in the reference.
  package struct Example: Hashable, Sendable {
    package var title: String
    /// The step's `with`, as a YAML mapping in block style.
    package var with: String
    /// Its `expect`, one expression a line; may be empty.
    package var expect: [String]

    package init(_ title: String, with: String, expect: [String] = []) {
      self.title = title
      self.with = with
      self.expect = expect
    }
  }

  package init(
    _ name: String, version: Int = 1, _ summary: String, discussion: String = "", effect: Effect,
    mayOnlyObserve: Bool = false, repetition: Repetition = .idempotent, judges: Bool,
    services: Set<Service> = [], programs: [RequiredProgram] = [], files: [String] = [], deadline: Duration,
    input: Record<Input>,
    output: Record<Output>,
    examples: [Example]
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.discussion = discussion
    self.effect = effect
    self.mayOnlyObserve = mayOnlyObserve
    self.repetition = repetition
    self.judges = judges
    self.services = services
    self.programs = programs
    self.files = files
    self.deadline = deadline
    self.input = input
    self.output = output
    self.examples = examples
  }
}
