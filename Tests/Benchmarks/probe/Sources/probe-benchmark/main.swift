// Measures the codec and the probes, and other clients against the same server in the same run.

CodecBenchmark.run()
try await AllocateBenchmark.run()
let server = try await BenchmarkServer()
try await RelayBenchmark.run(server)
try await FleetBenchmark.run(server)
