import Testing

@testable import Journal
@testable import Schema

@Suite struct ULIDTests {
  @Test("Ids grow from one to the next, also within a millisecond")
  func monotonic() {
    let ids = (0..<10_000).map { _ in ULID.next() }
    #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
    #expect(ids.allSatisfy(ULID.isValid))
  }

  @Test("Ids made at once by many tasks are all different")
  func concurrent() async {
    let ids = await withTaskGroup(of: [String].self) { group in
      for _ in 0..<8 { group.addTask { (0..<1000).map { _ in ULID.next() } } }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(ids).count == 8000)
  }

  @Test("An id begins with the time at which it was made")
  func time() throws {
    let before = Moment.now().wall.seconds
    let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    let milliseconds = try ULID.next().prefix(10).reduce(0) { try $0 * 32 + #require(alphabet.firstIndex(of: $1)) }
    let after = Moment.now().wall.seconds
    #expect((before...after).contains(Int64(milliseconds / 1000)))
  }

  @Test(
    "What is no id is refused",
    arguments: [
      "", "last", "01KBHYXV80ABCDEFGHJKMNPQR", "81KBHYXV80ABCDEFGHJKMNPQRS", "01KBHYXV80ABCDEFGHJKMNPQRU",
      "../../../../etc/passwd1234",
    ])
  func invalid(text: String) { #expect(!ULID.isValid(text)) }
}
