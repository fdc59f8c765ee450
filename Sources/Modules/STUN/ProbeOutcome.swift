import Addresses
import Journal
import Probe
import STUN
import Schema
import Steps

extension ProbedServer {
  /// The server that a step was given.
  init(_ target: TURNServer) throws(StepError) {
    do throws(ServerURI.ParsingError) {
      self.init(uri: try ServerURI(parsing: target.uri))
    } catch {
      throw .invalidURI(target.uri, error)
    }
    tls.trustFile = target.ca
    if let certificate = target.certificate, let key = target.key {
      tls.clientCertificate = TLSOptions.ClientCertificate(chainFile: certificate, keyFile: key)
    }
    expectedRealm = target.realm
    network = target.namespace.map(ProbeNetwork.namespace) ?? .ofHost
    address = target.address.flatMap { IPAddress($0) }
    if let secret = target.secret {
      credentials = .sharedSecret(
        secret.revealText(), user: target.username ?? "runbook", lifetime: .seconds(600), order: .expiryFirst)
    } else if let username = target.username, let credential = target.credential {
      credentials = .longTerm(LongTermCredentials(username: username, password: credential.revealText()))
    }
  }
}

extension TURNServer {
  /// The server where it speaks TLS, for a step about that.
  var overTLS: Self {
    var server = self
    server.uri = tlsURI ?? uri
    return server
  }
}

/// The time that a probe may take, so that what it made is cleaned up before the step's own deadline.
private func probeDeadline(of timeout: Duration) -> Duration { timeout - min(.seconds(2), timeout / 5) }

extension StepModule {
  /// What a probe objects to before it sends anything, for ``objection(to:within:)``.
  static func objection(
    _ target: TURNServer, within timeout: Duration,
    checkInput: (_ server: ProbedServer, _ deadline: Duration) throws(ProbeFailure) -> Void
  ) -> Finding? {
    do throws(StepError) {
      let server = try ProbedServer(target)
      // A try begins a moment after its time does.
      let start = min(.milliseconds(100), timeout / 100)
      do throws(ProbeFailure) { try checkInput(server, probeDeadline(of: timeout - start)) } catch {
        throw StepError(error)
      }
      return nil
    } catch {
      return error.finding
    }
  }
}

extension StepContext {
  /// Runs a probe and says what its failure means for a step, after a second look at the server where there is time.
  func probing<Report>(
    _ server: ProbedServer, _ probe: (Duration) async throws(ProbeFailure) -> Report
  ) async throws(StepError) -> Report {
    do throws(ProbeFailure) {
      return try await probe(probeDeadline(of: remaining))
    } catch {
      // A cancelled step has no time for a second look.
      guard error.code != .cancelled, !Task.isCancelled else { throw StepError(error) }
      progress("looking for the cause")
      let cause = await error.explained(on: server, deadline: min(.seconds(2), remaining / 2))
      throw StepError(cause.noting(server.passedOver))
    }
  }
}

extension StepError {
  /// A URI that was given for a server cannot be read.
  static func invalidURI(_ uri: String, _ error: ServerURI.ParsingError) -> StepError {
    .notStarted(
      "turn.invalidURI", "\(uri) is no STUN or TURN URI: \(error).",
      advice: "Write it as turn:turn.example.com:3478?transport=udp (RFC 7065).")
  }

  /// A service that is silent, refuses or answers wrongly fails its step; an input that cannot work never starts it.
  init(_ failure: ProbeFailure) {
    let kind: Kind =
      switch failure.code {
      case .cancelled: .interrupted
      case .invalidInput, .deadlineTooShort: .notStarted
      case .transportBroken, .outOfTime: .broken
      default: .failed
      }
    self.init(
      kind, Finding(failure),
      learnt: failure.evidence.map { Value.Member($0.name, .string($0.value)) })
  }
}

extension Finding {
  /// What a probe that failed says of it. What is ours in its sentences stays told from what came from outside.
  init(_ failure: ProbeFailure) {
    self.init(failure.code.rawValue, failure.sentence, advice: failure.advisory.isEmpty ? nil : failure.advisory)
  }
}

/// How the distribution of round-trip times stands in outputs.
enum LatencyRecord {
  static let record = Record(
    LatencySummary.init(count:min:mean:p50:p95:p99:max:),
    Field("count", \.count, .int, "How many round trips were measured."),
    Field("min", \.min, .duration, "The shortest."),
    Field("mean", \.mean, .duration, "The arithmetic mean."),
    Field("p50", \.p50, .duration, "The median."),
    Field("p95", \.p95, .duration, "Of 100 round trips, 95 took no longer."),
    Field("p99", \.p99, .duration, "Of 100 round trips, 99 took no longer."),
    Field("max", \.max, .duration, "The longest.")
  )
}
