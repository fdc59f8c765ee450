import Foundation
import Probe

/// Allocate and delete, by every client in turn against the same server, in several rounds: what else the machine does
/// meets all of them alike.
///
/// Each round has a server of its own, since one remembers for a while which ports its allocations came from, and
/// refuses them (437).
enum AllocateBenchmark {
  private static let rounds = 6

  static func run() async throws {
    let folder = URL.temporaryDirectory.appending(path: "probe-benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let peers = [PeerClient.aioice(), PeerClient.pion(builtIn: folder)].compactMap { $0 }
    let clients: [any AllocationClient] = [ProbeClient(), BareClient()] + peers

    var (bareTrips, probeTrips): ([Duration], [Duration]) = ([], [])
    var (sequential, parallel): ([String: AllocationSamples], [String: AllocationSamples]) = ([:], [:])
    for _ in 0..<rounds {
      let server = try await BenchmarkServer()
      bareTrips += try BareClient().ping(server, count: 200)
      let binding = try await BindingProbe(server: server.stun, requests: 200).run(deadline: .seconds(20))
      if let rtt = binding.rtt { probeTrips.append(rtt.p50) }
      for client in clients {
        sequential[client.name, default: AllocationSamples()] += try await client.run(server, count: 150, inFlight: 1)
      }
      for client in clients where client.canOverlap {
        parallel[client.name, default: AllocationSamples()] += try await client.run(server, count: 640, inFlight: 32)
      }
    }
    line("one Binding round trip over a bare socket, p50", milliseconds(LatencySummary(bareTrips)?.p50))
    line("one Binding round trip of the probe, p50", milliseconds(LatencySummary(probeTrips)?.p50))
    printTable(clients.map(\.name), sequential, parallel)
    for peer in ["aioice", "pion"] where !clients.contains(where: { $0.name == peer }) { line(peer, "not installed") }
    printRatios(ours: sequential[ProbeClient().name], bare: sequential[BareClient().name])
  }

  private static func printTable(
    _ names: [String], _ sequential: [String: AllocationSamples], _ parallel: [String: AllocationSamples]
  ) {
    func row(_ measure: String, _ cell: (String) -> String?) {
      let cells = names.map { name in
        let text = cell(name) ?? "–"
        return String(repeating: " ", count: max(1, 13 - text.count)) + text
      }
      print(measure + String(repeating: " ", count: max(1, 48 - measure.count)) + cells.joined())
    }
    row("") { $0 }
    row("first request to grant, two round trips, p50") { sequential[$0]?.p50(\.exchange).map(milliseconds) }
    row("open socket to grant, p50") { sequential[$0]?.p50(\.allocate).map(milliseconds) }
    row("deletion, request to confirmation, p50") { sequential[$0]?.p50(\.deletion).map(milliseconds) }
    row("allocate and delete, open to closed, p50") { sequential[$0]?.p50(\.whole).map(milliseconds) }
    row("allocate and delete, sequential, a second") { sequential[$0].map { "\(Int($0.rate))" } }
    row("allocate and delete, 32 in flight, a second") { parallel[$0].map { "\(Int($0.rate))" } }
    row("attempts refused with 437") { name in
      sequential[name].map { "\($0.refused + (parallel[name]?.refused ?? 0))" }
    }
  }

  private static func printRatios(ours: AllocationSamples?, bare: AllocationSamples?) {
    func ratio(_ part: (AllocationSample) -> Duration?) -> String {
      guard let ours = ours?.p50(part), let bare = bare?.p50(part) else { return "no figure" }
      return "\((ours / bare * 100).rounded() / 100)"
    }
    line("runbook to bare socket, first request to grant", ratio(\.exchange) + "   at most 1.5")
    line("runbook to bare socket, deletion", ratio(\.deletion))
    line("runbook to bare socket, open to closed", ratio(\.whole))
  }
}
