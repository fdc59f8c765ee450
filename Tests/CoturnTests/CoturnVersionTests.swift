import Coturn
import Testing

@Suite("A version of coturn")
struct CoturnVersionTests {
  @Test(
    "is read from the beginning of a text",
    arguments: [
      ("4.6.1", "4.6.1"), ("4.5.1.2", "4.5.1.2"), ("4.6.1-1+deb12u1", "4.6.1"), ("4.17.1 'Gorst'", "4.17.1"),
      ("4.6", "4.6.0"), ("4.5.0.0", "4.5.0"),
    ])
  func read(_ text: String, _ shown: String) {
    #expect(CoturnVersion(text)?.description == shown)
  }

  @Test(
    "is refused if it is none", arguments: ["", "4", "4..1", "v4.6.1", "4.6.1.2.3", "4.99999999999999999999", "4.6."])
  func refused(_ text: String) {
    #expect(CoturnVersion(text) == nil)
  }

  @Test("is ordered by its numbers, not by its text")
  func order() {
    let sorted = ["4.5.0.8", "4.5.1.2", "4.5.2", "4.6.1", "4.9.0", "4.10.0", "4.17.1"]
    #expect(sorted.shuffled().compactMap { CoturnVersion($0) }.sorted().map(\.description) == sorted)
  }
}
