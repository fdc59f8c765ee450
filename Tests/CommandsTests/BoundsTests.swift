import Schema
import Testing

/// Limits are shown as people write quantities, and never as bare numbers.
@Suite struct BoundsTests {
  private static let message = "must lie from 0B to 64MiB, found"

  @Test(
    "A size beyond its limits is shown with its unit, as is the limit",
    arguments: [("65MiB", "65MiB"), ("1GiB", "1GiB"), ("100MB", "100MB"), ("67108865B", "67108865B")])
  func sizes(written: String, shown: String) async throws {
    let project = try CommandLineProject()
    let step = "{id: a, use: command.run, effect: observe, with: {command: [ls], outputLimit: LIMIT}}"
    try project.write("runbooks/look.yaml", "runbook: look\nsteps:\n  - \(step.replacing("LIMIT", with: written))\n")
    let validated = try await project.runbook("validate", "runbooks/look.yaml")
    #expect(validated.status == 2)
    #expect(
      validated.stderr.contains("\"outputLimit\" \(Self.message) \(shown) "), "\(validated.stdout)\(validated.stderr)")
    #expect(!validated.stderr.contains("67108864"))
    // The same if it is given to a run.
    try project.write(
      "runbooks/look.yaml",
      "runbook: look\nparams: {limit: {type: bytesize, default: 1MiB}}\nsteps:\n  - \(step.replacing("LIMIT", with: "\"${params.limit}\""))\n"
    )
    let run = try await project.runbook("run", "look", "-p", "limit=\(written)")
    #expect(run.status == 2)
    #expect(run.stderr.contains("\"outputLimit\" \(Self.message) \(shown) "), "\(run.stderr)")
    #expect(!run.stderr.contains("67108864"))
  }

  @Test("So is the reference of the module, and what it says in JSON Schema")
  func reference() async throws {
    let project = try CommandLineProject(isEmpty: true)
    let page = try await project.runbook("modules", "command.run")
    #expect(page.stdout.contains("64MiB") && !page.stdout.contains("67108864"), "\(page.stdout)")
  }
}
