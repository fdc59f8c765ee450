import Engine
import Glibc
import Journal
import Ledger
import Modules
import Runs
import Schema
import Steps
import Synchronization
import TestSupport
import Testing

/// One probe by hand, driven as a run is.
@Suite(.timeLimit(.minutes(2))) struct ProbeSessionTests {
  private func session(_ signals: EndingSignals = EndingSignals(ofProcess: false)) -> ProbeSession {
    ProbeSession(services: Services(history: Ledger([])), signals: signals, version: "1.2.3")
  }

  private func module(_ name: String) throws -> AnyStepModule { try #require(Catalog.standard[name]) }

  private func input(
    _ module: AnyStepModule, port: UInt16, password: String = Coturn.credential, _ more: [Value.Member] = []
  ) throws -> Value {
    let server = TURNServer(
      name: "test", uri: "turn:127.0.0.1:\(port)", host: "127.0.0.1", username: Coturn.username,
      credential: Secret(password))
    return .members(try module.input.admit([.init("server", TURNServer.record.encode(server))] + more))
  }

  @Test("A probe gives what the module put out, tells what goes on, and uses the secrets in clear")
  func passes() async throws {
    let coturn = try await Coturn.start()
    let module = try module("turn.allocate")
    let told = Mutex(Told())
    let result = try await session().run(
      module, try input(module, port: coturn.port), title: "Allocates", timeout: .seconds(20)
    ) { notice in told.withLock { $0.take(notice) } }
    #expect(result.outcome == .pass && result.finding == nil && result.isStarted)
    #expect(result.output?["realm"] == .string(Coturn.realm))
    let notices = told.withLock { $0.notices }
    #expect(notices.contains { $0.isTry })
    guard case .recorded(.runStarted(let started))? = notices.first?.notice,
      case .recorded(.runFinished(let finished))? = notices.last?.notice
    else {
      Testing.Issue.record("\(notices)")
      return
    }
    #expect(started.title == "Allocates" && started.tool.version == "1.2.3")
    #expect(finished.outcome == .pass)
  }

  @Test("A refusal is a failure, and what cannot be asked for was not begun")
  func fails() async throws {
    let coturn = try await Coturn.start()
    let allocate = try module("turn.allocate")
    let refused = try await session().run(
      allocate, try input(allocate, port: coturn.port, password: "wrong-horse"), title: "", timeout: .seconds(20))
    #expect(refused.outcome == .fail && refused.isStarted)
    #expect(refused.finding?.code == "turn.unauthorized")

    let credentials = try module("turn.credentials")
    let server = TURNServer(name: "test", uri: "turn:127.0.0.1:\(coturn.port)", host: "127.0.0.1")
    let nobody = Value.members(try credentials.input.admit([.init("server", TURNServer.record.encode(server))]))
    let impossible = try await session().run(credentials, nobody, title: "", timeout: .seconds(20))
    #expect(impossible.outcome == .error && !impossible.isStarted)
  }

  @Test("A silent server is a failure of the server once the time is over, not an error of ours")
  func silence() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGSTOP)
    defer { coturn.signal(SIGCONT) }
    let module = try module("stun.binding")
    let result = try await session().run(
      module, try input(module, port: coturn.port), title: "", timeout: .seconds(1))
    #expect(result.outcome == .fail)
    #expect(result.finding?.code == "stun.timeout")
  }

  @Test("A signal in the middle lets the probe delete its allocations, and is told as the reason")
  func signalled() async throws {
    let coturn = try await Coturn.start()
    let signals = EndingSignals(ofProcess: false)
    let module = try module("turn.relay")
    let result = try await session(signals).run(
      module, try input(module, port: coturn.port, [.init("packets", .int(500))]), title: "", timeout: .seconds(60)
    ) { notice in
      guard case .progress(_, let text) = notice.notice, text.contains("packets sent"), signals.first == nil
      else { return }
      signals.send(Int(SIGINT))
    }
    #expect(result.outcome == .error)
    #expect(result.finding?.code == "step.cancelled")
    #expect(signals.first == 2)
    #expect(coturn.log.matches(of: /refreshed, realm=<r\.example>, username=<alice>, lifetime=0/).count == 2)
  }
}
