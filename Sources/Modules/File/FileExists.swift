import Glibc
import Journal
import Schema
package import Steps

/// Whether a file is there.
package struct FileExists: StepModule {
  package struct Input: Hashable, Sendable {
    package var path: String
    package var kind: FileKind?
    package var absent: Bool
  }

  package struct Output: Hashable, Sendable {
    package var path: String
    package var exists: Bool
    package var place: String?
    package var kind: FileKind?
    package var size: Int?
  }

  package static let declaration = ModuleDeclaration(
    "file.exists", "Whether a file, folder or socket is there.",
    discussion: """
      It fails if nothing lies at the path, or something of another kind. With `absent: true` it fails if something does. Links
      are followed: one that leads nowhere is not there. A folder on the way that this user may not enter is an error: nothing
      is known then.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("path", \.path, .path, "Where it should be."),
      Field("kind", \.kind, .optional(.enumeration(FileKind.self)), "What it should be; anything, if not given."),
      Field("absent", \.absent, .bool, default: false, "True if nothing may be there.")
    ),
    output: Record(
      Output.init,
      Field("path", \.path, .path, "The path that was asked for."),
      Field("exists", \.exists, .bool, "Whether something is there."),
      Field("place", \.place, .optional(.path), "Where it lies, without links."),
      Field("kind", \.kind, .optional(.enumeration(FileKind.self)), "What it is."),
      Field("size", \.size, .optional(.byteSize), "Its size, if it is a file.")
    ),
    examples: [
      .init("The configuration is there", with: "path: /etc/turnserver.conf\nkind: file"),
      .init("Maintenance mode is off", with: "path: /run/maintenance\nabsent: true"),
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    guard case .success(let look) = try await FileLook.at(input.path) else {
      let output = Output(path: input.path, exists: false)
      if input.absent { return .done(output) }
      return .failed(output, try await Self.missing(input.path))
    }
    let output = Output(
      path: input.path, exists: true, place: look.place, kind: look.kind,
      size: look.kind == .file ? Int(look.status.st_size) : nil)
    guard !input.absent else {
      return .failed(
        output,
        Finding(
          "file.present", "\(input.path) is there, and should not be",
          advice: "Find out what made it, and remove it if nothing needs it."))
    }
    if let kind = input.kind, kind != look.kind {
      return .failed(
        output,
        Finding(
          "file.otherKind", "\(input.path) is a \(look.kind.rawValue), and should be a \(kind.rawValue)",
          advice: "Find out what made it, or write the `kind` that it should have."))
    }
    return .done(output)
  }

  private static func missing(_ path: String) async throws(StepError) -> Finding {
    do throws(StepError) { _ = try await FileLook.existing(at: path) } catch {
      guard error.kind == .failed else { throw error }
      return error.finding
    }
    return Finding(
      "file.missing", "there was no \(path) a moment ago",
      advice: "Something made it while this step looked: run it again.")
  }
}
