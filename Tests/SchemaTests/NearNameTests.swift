import Testing

@testable import Schema

@Suite struct NearNameTests {
  @Test(
    "A mistyped name finds the one it means",
    arguments: [
      ("hots", "host"), ("HOST", "host"), ("prot", "port"), ("timout", "timeout"), ("expcet", "expect"),
      ("pakcets", "packets"), ("tim", nil), ("zebra", nil), ("", nil), ("host", nil),
    ] as [(String, String?)])
  func nearNames(name: String, expected: String?) {
    #expect(nearName(to: name, among: ["host", "port", "timeout", "expect", "packets"]) == expected)
  }

  @Test("Of two equally near names the first in the alphabet is chosen, whatever their order")
  func ties() {
    #expect(nearName(to: "cat", among: ["hat", "bat"]) == "bat")
    #expect(nearName(to: "cat", among: ["bat", "hat"]) == "bat")
  }
}
