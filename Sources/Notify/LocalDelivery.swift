import Files
import Glibc
import Notices
import Processes
import Schema

extension Channel {
  /// Starts a command. It finds the notice in files in memory, and the short facts in its environment.
  func takeByCommand(
    _ words: [String], _ notice: OutgoingNotice, by deadline: ContinuousClock.Instant
  ) async throws(DeliveryError) -> ChannelAcceptance {
    var command = Command(words.first ?? "", Array(words.dropFirst()))
    command.timeout = max(.milliseconds(100), ContinuousClock.now.duration(to: deadline))
    command.terminationGrace = .seconds(1)
    command.outputLimit = 64 << 10
    command.environment = [
      "NOTICE_KEY": notice.key, "NOTICE_LEVEL": notice.level.rawValue, "NOTICE_STATUS": notice.status.rawValue,
      "NOTICE_TITLE": notice.title, "NOTICE_SMS": notice.smsText, "NOTICE_RUN": notice.origin.run ?? "",
      "NOTICE_RUNBOOK": notice.origin.runbook ?? "", "NOTICE_TARGET": notice.origin.target ?? "",
    ]
    command.credentials = [
      Command.Credential(
        variable: "NOTICE_TEXT_FILE", secret: Array(notice.plainText.utf8), delivery: .descriptor),
      Command.Credential(variable: "NOTICE_JSON_FILE", secret: notice.json.utf8(), delivery: .descriptor),
    ]
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run() } catch {
      throw DeliveryError(
        "notify.commandNotStarted", "\(words.first ?? "") was not started: \(error.message).",
        advice: "Look whether it is installed and may be executed.")
    }
    let said = result.standardError.text.isEmpty ? result.standardOutput.text : result.standardError.text
    guard result.isSuccess else {
      let ending: Sentence =
        switch (result.interruption, result.ending) {
        case (.timeout?, _): "did not end in time"
        case (.cancellation?, _): "was stopped"
        case (nil, .exited(let status)): "ended with exit code \(status)"
        case (nil, .signalled(let signal)): "was ended by signal \(signal)"
        case (nil, .unkillable): "cannot be ended"
        }
      throw DeliveryError(
        "notify.commandFailed", "\(words.first ?? "") \(ending).", advice: "Look at its output, and try it by hand.",
        answer: said, isTemporary: result.interruption == nil)
    }
    return ChannelAcceptance(receipt: nil, answer: result.standardOutput.text)
  }

  /// Appends one line to a file, and waits until it is on the disk.
  func takeByFile(_ path: String, _ notice: OutgoingNotice) async throws(DeliveryError) -> ChannelAcceptance {
    let line = notice.json.utf8() + [0x0A]
    let outcome: Result<ChannelAcceptance, DeliveryError> = await onBlockingThread {
      do throws(FileError) {
        let file = try File.openOrCreate(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, Permissions(0o600))
        guard try file.metadata().kind == .regular else {
          return .failure(
            DeliveryError(
              "notify.fileNotWritten", "\(path) is no regular file.", advice: "Name a file, not a pipe or a device.")
          )
        }
        try file.write(line)
        try file.syncData()
        return .success(ChannelAcceptance(receipt: nil, answer: nil))
      } catch {
        return .failure(
          DeliveryError(
            "notify.fileNotWritten", "The notice could not be appended to \(path): \(error.reason).",
            advice: "Look at its folder, at who may write there, and at the disk."))
      }
    }
    return try outcome.get()
  }
}
