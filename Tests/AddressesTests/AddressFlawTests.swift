import Addresses
import Testing

@Suite struct AddressFlawTests {
  @Test(
    "Addresses that no host can have are told from those that are only unusual",
    arguments: [
      ("0.0.0.0:1", AddressFlaw.unspecified), ("0.255.0.1:1", .unspecified), ("[::]:1", .unspecified),
      ("[::ffff:0.0.0.0]:1", .unspecified), ("224.0.0.1:1", .multicast), ("239.255.255.255:1", .multicast),
      ("[ff02::1]:1", .multicast), ("[::ffff:224.0.0.1]:1", .multicast), ("255.255.255.255:1", .broadcast),
      ("192.0.2.1:0", .portZero), ("[2001:db8::1]:0", .portZero), ("127.0.0.1:1", nil), ("10.0.0.1:1", nil),
      ("169.254.1.1:1", nil), ("[::1]:1", nil), ("[fe80::1]:1", nil), ("[fd00::1]:1", nil), ("192.0.2.255:1", nil),
    ] as [(String, AddressFlaw?)])
  func flaws(text: String, flaw: AddressFlaw?) throws {
    #expect(try #require(TransportAddress(text)).flaw() == flaw)
  }

  @Test("An IPv4-mapped address is of the family IPv4")
  func families() throws {
    let mapped = try #require(TransportAddress("[::ffff:192.0.2.1]:1"))
    #expect(mapped.flaw(family: .ipv4) == nil)
    #expect(mapped.flaw(family: .ipv6) == .otherFamily)
    #expect(try #require(TransportAddress("[::1]:1")).flaw(family: .ipv4) == .otherFamily)
    #expect(try #require(TransportAddress("[::1]:1")).flaw(family: .ipv6) == nil)
  }
}
