import Lab
import Processes
import TestSupport
import Testing

@Suite("A lab's certificate")
struct ServerCertificateTests {
  @Test(
    "is accepted by OpenSSL for a TLS server at localhost and 127.0.0.1, and for no other",
    arguments: [
      (["-verify_hostname", "localhost"], true), (["-verify_ip", "127.0.0.1"], true),
      (["-verify_hostname", "example.org"], false), (["-verify_ip", "127.0.0.2"], false),
    ])
  func verified(_ check: [String], accepted: Bool) async throws {
    let folder = try TemporaryFolder()
    let issued = try ServerCertificate.issue()
    try folder.write(issued.authority, to: "ca.pem")
    try folder.write(issued.certificate, to: "server.pem")
    var command = Command(
      "openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem"] + check + ["server.pem"])
    command.directory = folder.path
    #expect(try await command.run().isSuccess == accepted)
  }

  @Test("has its own key, and shares nothing with the next lab's")
  func keys() async throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try ServerCertificate.issue(), try ServerCertificate.issue())
    #expect(first.authority != second.authority)
    #expect(first.key != second.key)
    try folder.write(first.certificate, to: "server.pem")
    try folder.write(first.key, to: "key.pem")
    var command = Command("sh", ["-c", "openssl x509 -in server.pem -noout -pubkey; openssl pkey -in key.pem -pubout"])
    command.directory = folder.path
    let text = try await command.run().standardOutput.text
    let keys = text.split(separator: "-----BEGIN PUBLIC KEY-----\n")
    #expect(keys.count == 2)
    #expect(keys.first == keys.last)
  }
}
