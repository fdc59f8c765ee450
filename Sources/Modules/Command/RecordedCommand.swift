import Processes
import Steps

extension Command {
  /// Runs as a step's command does: what it starts is recorded, so that it can be found again should the run die.
  func run(in context: StepContext, observer: OutputObserver? = nil) async throws(ProcessError) -> ProcessResult {
    try await run(
      observer: observer,
      started: { process in
        context.started(
          StartedProcess(
            program: executable, pid: Int(process.pid), startTime: Int(clamping: process.startTime),
            pidNamespace: OwnProcess.pidNamespace))
      })
  }
}
