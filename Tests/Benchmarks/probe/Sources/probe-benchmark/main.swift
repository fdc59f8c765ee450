// Measures the codec and the probes, and other clients against the same server in the same run.

CodecBenchmark.run()
let server = try await BenchmarkServer()
try await AllocateBenchmark.run(server)
try await RelayBenchmark.run(server)
PeerBenchmark.run(server)
try await FleetBenchmark.run(server)
