import Addresses
import Testing

@Suite("Addresses")
struct AddressTests {
  @Test(
    "Text comes out in canonical form (RFC 5952)",
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::", "::"), ("::1", "::1"),
      ("1::", "1::"), ("fe80:0:0:0:0:0:0:1", "fe80::1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
      ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
      ("0:0:3::", "0:0:3::"),
    ])
  func canonical(text: String, expected: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == expected)
    #expect(IPAddress(expected) == address)
    #expect(IPAddress(octets: address.octets) == address)
  }

  @Test(
    "What is no address is refused",
    arguments: [
      "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1.2.3.+4", ":::", "1::2::3", "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9", "12345::", "::g", "::1.2.3", "1.2.3.4::", "fe80::1%eth0", ":1", "1:",
    ])
  func refusal(text: String) { #expect(IPAddress(text) == nil) }

  @Test("Transport addresses carry brackets around IPv6 only")
  func transportAddresses() {
    #expect(TransportAddress("192.0.2.1:3478")?.description == "192.0.2.1:3478")
    #expect(TransportAddress("[::1]:65535")?.description == "[::1]:65535")
    for text in ["::1:1", "[192.0.2.1]:1", "192.0.2.1", "192.0.2.1:65536", "[::1]", "[::1:1"] {
      #expect(TransportAddress(text) == nil)
    }
  }

  @Test("21. An IPv4-mapped address is compared as IPv4")
  func mapped() {
    #expect(IPAddress("::ffff:192.0.2.1")?.unmapped == IPAddress("192.0.2.1"))
    #expect(IPAddress("::fffe:192.0.2.1")?.unmapped == IPAddress("::fffe:192.0.2.1"))
  }
}
