import Glibc
import Journal
import Schema

// Records 5000 steps that act on the world, unless it is killed before, in the state folder that it is given. Says on
// standard output which line was recorded, each once ``JournalWriter/append(_:)`` has returned; ends with 1 and the
// error's code.

let state = StateFolder(CommandLine.arguments[1])
let started = RunStarted(
  runbook: "probe", title: "Probe", number: 0, severity: nil, target: nil, parent: nil, params: .members([]),
  tool: ToolFacts(version: "1"), host: "h", user: "u", pid: Int(getpid()), sources: [], volatile: false)

func say(_ text: String) {
  let bytes = Array((text + "\n").utf8)
  write(1, bytes, bytes.count)
}

do throws(JournalError) {
  let journal = try await JournalWriter.begin(started, sources: [], in: state)
  say(journal.run)
  for number in 1...5000 {
    let path = StepPath("step\(number)")
    try await journal.append(
      .stepStarted(
        StepStarted(path: path, title: "T", use: "m", effect: .change, input: .null, diagnostic: false)))
    let recorded = try await journal.append(.stepIntent(StepIntent(path: path, attempt: 1, key: path.text)))
    say(String(recorded.seq))
  }
} catch {
  say(error.code.text)
  exit(1)
}
