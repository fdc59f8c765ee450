import NIOCore
import STUN
import Schema

/// What an allocation is made with.
struct AllocationRequest: Sendable {
  var server: ProbedServer
  var options = AllocateOptions()
  /// Whether a 300 (Try Alternate) is followed.
  var followsAlternate = false
  /// Whether many datagrams come at once.
  var expectsTraffic = false
  /// How long a server may take to grant it; nil leaves it the whole time.
  var patience: Duration?
  /// nil takes any.
  var eventLoop: (any EventLoop)?
  /// A challenge that was never received on the new connection, to see it refused.
  var presetChallenge: PresetChallenge?

  struct PresetChallenge: Sendable {
    let realm: String
    let nonce: Nonce
  }
}

extension Allocation {
  /// The longest that a deletion may take.
  static let deletionLimit: Duration = .seconds(2)

  /// How much longer a grant is waited for when the task is cancelled: an allocation can be deleted only once it is there,
  /// and a server may take in a deletion sooner than the request before it, while that waits for its user's password.
  static let grantGrace: Duration = .milliseconds(500)

  /// Makes an allocation, uses it, and deletes it: also when the use fails and when the task is cancelled.
  ///
  /// - Parameters:
  ///   - companion: an allocation whose use ends with this one's: both are deleted at the same time.
  ///   - deadline: for everything but the deletion, which may take at most `deletionLimit` longer.
  ///   - body: uses the allocation, which is renewed meanwhile.
  static func withAllocation<Value: Sendable>(
    _ request: AllocationRequest, alongside companion: Allocation? = nil, by deadline: Instant,
    _ body: (Allocation) async throws(ProbeFailure) -> Value
  ) async throws(ProbeFailure) -> (value: Value, deletion: Deletion) {
    var candidates = try await request.server.candidates(by: deadline)
    var target = candidates.current
    var isRedirected = false
    var policy = AllocationPolicy(
      options: request.options, server: target, followsAlternate: request.followsAlternate)
    var options = request.options
    var dropped: [AttributeType] = []
    var newSourcePorts = 0
    var connectionOptions = request.server.connectionOptions()
    connectionOptions.expectsTraffic = request.expectsTraffic
    connectionOptions.eventLoop = request.eventLoop
    while true {
      let share = isRedirected ? deadline : candidates.limit(by: deadline)
      let limit = request.patience.map { min(share, .now + $0) } ?? share
      let step: Step<Value>
      do throws(ProbeFailure) {
        step = try await ServerConnection.withConnection(
          to: target, over: request.server.transport, options: connectionOptions, by: limit
        ) { connection throws(ProbeFailure) in
          if let preset = request.presetChallenge { await connection.assume(realm: preset.realm, nonce: preset.nonce) }
          switch try await allocate(options, on: connection, policy: &policy, by: limit) {
          case .failure(let decision):
            return .again(decision)
          case .success(let (state, response)):
            let allocation = Allocation(
              state, response: response, connection: connection, droppedAttributes: dropped,
              newSourcePorts: newSourcePorts)
            let impossible = ProbeFailure(
              impossible: state, askedFor: options, server: target, transport: request.server.transport)
            return .used(
              await use(allocation, alongside: companion) { allocation throws(ProbeFailure) in
                if let impossible { throw impossible }
                return try await body(allocation)
              })
          }
        }
      } catch {
        guard !isRedirected else { throw error }
        try candidates.advance(after: error)
        target = candidates.current
        continue
      }
      switch step {
      case .used(let result): return try result.get()
      case .again(.retryFromNewPort): newSourcePorts += 1
      case .again(.retry(let reduced, let attribute)):
        options = reduced
        dropped.append(attribute)
      case .again(.redirect(let server)):
        target = server
        isRedirected = true
      case .again(.giveUp): continue
      }
    }
  }

  private enum Step<Value: Sendable>: Sendable {
    case again(AllocationPolicy.Decision)
    case used(Result<(value: Value, deletion: Deletion), ProbeFailure>)
  }

  private enum Allocated {
    case success((AllocationState, Response))
    case failure(AllocationPolicy.Decision)
  }

  private static func allocate(
    _ options: AllocateOptions, on connection: ServerConnection, policy: inout AllocationPolicy, by deadline: Instant
  ) async throws(ProbeFailure) -> Allocated {
    let failure: RequestFailure
    do throws(RequestFailure) {
      let response = try await connection.perform(
        .allocate(options), by: deadline, graceWhenCancelled: grantGrace)
      do throws(DecodingError) {
        return .success((try AllocationState(allocated: response.message, now: .now), response))
      } catch {
        connection.sendOnce(.refresh(lifetimeSeconds: 0))
        failure = .malformedResponse(error)
      }
    } catch {
      switch error {
      case .rejected(let rejection):
        let decision = policy.decide(after: rejection)
        if decision != .giveUp { return .failure(decision) }
      case .timedOut, .cancelled, .unknownAttributes, .malformedResponse:
        // The server may have made an allocation whose response we did not take.
        connection.sendOnce(.refresh(lifetimeSeconds: 0))
      case .bidDown, .noKnownPasswordAlgorithm, .overlongRequest, .transport:
        break
      }
      failure = error
    }
    throw ProbeFailure(failure, of: .allocate, server: connection.server, transport: connection.transport)
  }

  private static func use<Value: Sendable>(
    _ allocation: Allocation, alongside companion: Allocation?,
    _ body: (Allocation) async throws(ProbeFailure) -> Value
  ) async -> Result<(value: Value, deletion: Deletion), ProbeFailure> {
    let eventLoop = allocation.connection.eventLoop
    let keeper = eventLoop.scheduleRepeatedAsyncTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
      eventLoop.makeFutureWithTask { await allocation.renew() }
    }
    let result: Result<Value, ProbeFailure>
    do throws(ProbeFailure) {
      let value = try await body(allocation)
      result = .success(value)
    } catch {
      result = .failure(error)
    }
    keeper.cancel()
    let limit = Instant.now + deletionLimit
    async let companionDeletion = companion?.delete(by: limit)
    let deletion = await allocation.delete(by: limit)
    _ = await companionDeletion
    switch result {
    case .success(let value): return .success((value, deletion))
    case .failure(var failure):
      failure.noteDeletion(isConfirmed: deletion.isConfirmed)
      return .failure(failure)
    }
  }
}

extension ProbeFailure {
  /// Says whether the allocation is gone; where allocations are nested, whether all of them are.
  fileprivate mutating func noteDeletion(isConfirmed: Bool) {
    let isInnerGone = evidence("allocationDeleted") != "no"
    evidence.removeAll { $0.name == "allocationDeleted" }
    evidence.append(Evidence("allocationDeleted", isInnerGone && isConfirmed ? "yes" : "no"))
  }
}
