import Testing

@testable import Journal

@Suite struct StepPathTests {
  @Test(
    "A path has its text and its parts",
    arguments: [
      ("relay", [.init("relay")]), ("sweep[2]/probe", [.init("sweep", element: 2), .init("probe")]),
      ("turn#2/relay", [.init("turn", attempt: 2), .init("relay")]),
      ("sweep[0]#3/x", [.init("sweep", element: 0, attempt: 3), .init("x")]),
    ] as [(String, [StepPath.Part])])
  func parts(text: String, parts: [StepPath.Part]) {
    #expect(StepPath(text).parts == parts)
    #expect(StepPath(parts).text == text)
  }

  @Test(
    "What is no number of an element or a try belongs to the id, and every text reads back",
    arguments: ["a[02]", "a[-1]", "a[]", "a#1", "a#x", "a[1", "a]", "[1]x", "", "a//b", "a#2#3", "a[1][2]", "a#3[1]"])
  func otherText(text: String) {
    #expect(StepPath(StepPath(text).parts).text == text)
  }

  @Test("The stage is told to people where it is not that of the steps")
  func stage() {
    #expect("\(StepPath("restart/stop", in: .undo))" == "undo:restart/stop")
    #expect("\(StepPath("restart/stop"))" == "restart/stop")
    #expect(StepPath("a", in: .undo) != StepPath("a"))
    #expect(StepPath("a/b", in: .undo).owner == StepPath("a", in: .undo))
    #expect(StepPath("a").owner == nil)
    #expect(StepPath("a/b").appending(.init("c", element: 1)).text == "a/b/c[1]")
  }
}
