import Foundation
import Processes
import Schema
import Testing

/// The executable against a server that accepts every cipher of its library.
@Suite struct CipherTests {
  /// `$1`: the executable. Prints what the server has and its certificate can do with TLS 1.2, then the probe's report.
  private static let script = """
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 5 -subj /CN=localhost \
      -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    openssl s_server -www -accept 127.0.0.1:0 -cert cert.pem -key key.pem -cipher ALL:@SECLEVEL=0 -no_tls1_3 \
      >server.log 2>&1 </dev/null &
    server=$!
    trap 'kill $server' EXIT
    until port=$(sed -n 's/^ACCEPT 127.0.0.1://p' server.log) && [ -n "$port" ]; do
      kill -0 $server
      sleep 0.05
    done
    openssl ciphers -s -tls1_2 -v ALL:@SECLEVEL=0 | sed -nE 's/ .* Au=(RSA|None) .*//p' | sort >expected
    TURN_CA=cert.pem "$1" probe tls "turns:127.0.0.1:$port" --format json
    """

  @Test("Every cipher that openssl says a server has is found accepted, and none besides")
  func everyCipher() async throws {
    let project = try CommandLineProject()
    var command = Command("/bin/sh", ["-euc", Self.script, "script", CommandLineProject.executable])
    command.directory = project.root
    command.timeout = .seconds(90)
    let output = project.output(of: try await command.run())
    let report = try #require(try? output.json["output"], "\(output.stdout)\(output.stderr)")
    let trials = try #require(report["ciphers"]?.array, "\(output.stdout)")
    func ciphers(of version: String, _ verdict: String) -> Set<String> {
      Set(
        trials.filter { $0["version"]?.string == version && $0["verdict"]?.string == verdict }.compactMap {
          $0["cipher"]?.string
        })
    }
    let expected = try project.read("expected").split(separator: "\n").map(String.init)
    try #require(expected.count > 20)
    #expect(ciphers(of: "TLSv1.2", "accepted") == Set(expected))
    for version in ["TLSv1", "TLSv1.1"] {
      let accepted = ciphers(of: version, "accepted")
      #expect(accepted.contains("AES128-SHA") && accepted.isSubset(of: expected), "\(version): \(accepted)")
    }
    // Each cipher is tried with each version, once.
    #expect(trials.count == Set(trials.map { "\($0["version"] ?? .null) \($0["cipher"] ?? .null)" }).count)
    #expect(trials.count > 200, "\(trials.count)")
    #expect(report["legacyCiphers"]?.array?.contains("AES128-SHA") == true)
  }
}
