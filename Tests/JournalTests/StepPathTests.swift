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

  @Test(
    "An element lies in its loop, and a step of a later try in what is tried",
    arguments: [
      ("sweep[2]", "sweep"), ("sweep[1]#2", "sweep"), ("sweep[2]/probe", "sweep[2]"),
      ("sweep[1]#2/probe", "sweep[1]#2"),
      ("turn#2/relay", "turn"), ("a/turn#2/relay", "a/turn"), ("a/sweep[0]", "a/sweep"), ("a#2/sweep[0]", "a#2/sweep"),
    ])
  func owners(text: String, owner: String) {
    #expect(StepPath(text).owner?.text == owner)
    #expect(StepPath(text).isInside(StepPath(owner)))
    #expect(!StepPath(owner).isInside(StepPath(text)))
    #expect(!StepPath(text).isInside(StepPath(owner, in: .finally)))
  }

  @Test("Paths of elements and later tries")
  func makes() {
    #expect(StepPath("a/sweep").element(3).text == "a/sweep[3]")
    #expect(StepPath("a/sweep").element(3, attempt: 2).text == "a/sweep[3]#2")
    #expect(StepPath("turn").attempt(1).text == "turn" && StepPath("turn").attempt(2).text == "turn#2")
    #expect(StepPath("a#2/turn#3").tried?.text == "a#2/turn")
    #expect(StepPath("a#2/turn").tried == nil && StepPath("sweep[1]#2").tried == nil)
    #expect(StepPath("a#2/sweep[1]#3/b").withoutTries.text == "a/sweep[1]/b")
    #expect(!StepPath("turning").isInside("turn") && !StepPath("turn").isInside("turn"))
  }
}
