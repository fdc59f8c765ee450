package import Journal
package import Reports

/// What the process tells its caller by its exit code; the one place where outcomes become numbers.
package enum ExitStatus: Hashable, Sendable {
  case passed
  /// A check failed.
  case failed
  /// Usage, validation, a missing secret: nothing was run.
  case invalid
  /// Our own side could not find out, or an end is unknown.
  case error
  /// Nothing was done: another run holds the lock.
  case locked
  /// A person declined, or nobody answered.
  case declined
  /// Ended by a signal, after cleaning up.
  case signalled(Int)
  /// What a program came to that was run in our place.
  case program(Int32)
  /// What a monitoring plugin says of a run, where its line stands on standard output.
  case plugin(PluginState)

  package var code: Int32 {
    switch self {
    case .passed: 0
    case .failed: 1
    case .invalid: 2
    case .error: 3
    case .locked: 4
    case .declined: 5
    case .signalled(let number): 128 + Int32(number)
    case .program(let code): code
    case .plugin(let state): state.rawValue
    }
  }

  /// - Parameters:
  ///   - signal: the signal that ended the run; it takes precedence.
  ///   - isDeclined: a person declined, or nobody answered; it goes before the outcome.
  ///   - isStrict: warnings count as failures.
  package init(_ outcome: Outcome, signal: Int? = nil, isDeclined: Bool = false, isStrict: Bool = false) {
    if let signal {
      self = .signalled(signal)
      return
    }
    guard !isDeclined else {
      self = .declined
      return
    }
    switch outcome {
    case .pass, .skipped: self = .passed
    case .warn: self = isStrict ? .failed : .passed
    case .fail: self = .failed
    case .error, .indeterminate: self = .error
    }
  }
}
