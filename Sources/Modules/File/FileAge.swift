import Glibc
import Journal
package import Schema
package import Steps

/// How long ago a file was written to.
package struct FileAge: StepModule {
  package struct Input: Hashable, Sendable {
    package var path: String
  }

  package struct Output: Hashable, Sendable {
    package var path: String
    package var modified: Timestamp
    package var age: Duration
    package var size: Int
  }

  package static let declaration = ModuleDeclaration(
    "file.age", "How long ago a file was last written to.",
    discussion: """
      Of a folder it is when something in it was last made, renamed or removed. A file that is not there fails the step. So does
      one that was written to in the future: its age is not known, and either its clock or this host's is wrong.
      """,
    effect: .observe, judges: false, deadline: .seconds(10),
    input: Record(Input.init, Field("path", \.path, .path, "The file.")),
    output: Record(
      Output.init,
      Field("path", \.path, .path, "The path that was asked for."),
      Field("modified", \.modified, .timestamp, "When it was last written to."),
      Field("age", \.age, .duration, "How long ago that was."),
      Field("size", \.size, .byteSize, "Its size.")
    ),
    examples: [
      .init(
        "The backup of last night is there, and holds something", with: "path: /var/backups/turn.tar.gz",
        expect: ["output.age < duration('26h')", "output.size > bytesize('1KiB')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let look = try await FileLook.existing(at: input.path)
    let now = Moment.now().wall
    let written = look.status.st_mtim
    guard let modified = Timestamp(seconds: Int64(written.tv_sec), nanoseconds: Int32(written.tv_nsec)) else {
      throw .failed(
        "file.timeImpossible", "\(input.path) was written to in no year from 1 to 9999",
        advice:
          "Look at the file with stat(1), and set its time with touch(1): a wrong clock or a damaged file system leaves such times."
      )
    }
    let age = now.duration(since: modified)
    // The kernel stamps files by a clock that is some milliseconds behind or before what programs read.
    guard age > .seconds(-1) else {
      throw .failed(
        "file.modifiedInFuture", "\(input.path) was written to in the future, at \(modified)",
        advice: "Look at the clock of this host, and of the one that wrote the file: what is older cannot be told.")
    }
    return .done(Output(path: input.path, modified: modified, age: max(.zero, age), size: Int(look.status.st_size)))
  }
}
