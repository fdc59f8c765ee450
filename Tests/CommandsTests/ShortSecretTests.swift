import Schema
import Testing

/// A secret that is too short to be told from other text.
@Suite struct ShortSecretTests {
  @Test("A secret of fewer than six characters is a warning that does not show it, and is masked where it stands alone")
  func short() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/tell.yaml",
      """
      runbook: tell
      secrets: {word: {env: WORD}}
      steps:
        - id: tell
          use: command.run
          effect: observe
          with:
            command: [sh, -c, 'printf "alone %s, inside a%sb\\n" "$WORD" "$WORD"; exit 1']
            secretEnv: {WORD: "${secrets.word}"}
      """)
    let output = try await project.runbook("run", "tell", "--format", "json", environment: ["WORD": "q7x"])
    #expect(output.status == 1, "\(output.stderr)")
    #expect(
      output.stderr.contains("warning: the secret \"word\" has fewer than 6 characters: WORD of the environment"),
      "\(output.stderr)")
    #expect(output.stderr.contains("[secret-short]"))
    #expect(!output.stderr.contains("q7x"))
    let printed = try #require(try output.json.step("tell")?["output"]?["stdout"]?.string)
    #expect(printed == "alone ‹secret›, inside aq7xb\n")

    let long = try await project.runbook("run", "tell", "--format", "json", environment: ["WORD": "q7xq7x"])
    #expect(!long.stderr.contains("secret-short"), "\(long.stderr)")
    #expect(try long.json.step("tell")?["output"]?["stdout"] == "alone ‹secret›, inside a‹secret›b\n")
  }

  @Test("So is the credential of a target, which does not blacken the tool's own words")
  func target() async throws {
    let project = try CommandLineProject()
    try await project.withLab { environment in
      try project.write(
        ".env",
        "TURN_SERVER=\(environment["TURN_SERVER"] ?? "")\nTURN_USERNAME=\(environment["TURN_USERNAME"] ?? "")\nTURN_CREDENTIAL=p\n"
      )
      let output = try await project.runbook("run", "checks/turn-relay", "-p", "packets=5", "--format", "json")
      #expect(output.status == 1, "\(output.stderr)")
      #expect(output.stderr.contains("[secret-short]"), "\(output.stderr)")
      let error = try #require(try output.json.step("turnRelay/relay")?["error"])
      #expect(error["code"] == "turn.unauthorized")
      #expect(error["message"]?.string?.hasSuffix("it does not accept the user name and password.") == true)
      #expect(!error.text().contains(Secret.mask))
    }
  }
}
