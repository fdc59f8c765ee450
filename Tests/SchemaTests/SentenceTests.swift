import Testing

@testable import Schema

/// What is masked in a sentence came from outside; the tool's own words stay.
@Suite("Sentences") struct SentenceTests {
  private func masked(_ sentence: Sentence, _ secrets: String...) -> String {
    SecretMasking(secrets.map { Secret($0) }).masked(sentence).text
  }

  @Test("A secret that is a word of ours is masked in what came from outside alone")
  func ownWords() {
    let answer = "it was refused"
    #expect(masked("The server refused: \(answer).", "refused") == "The server refused: it was ‹secret›.")
    #expect(masked("refused \(answer)" + " refused", "refused") == "refused it was ‹secret› refused")
    #expect(masked("Compare the password.", "password") == "Compare the password.")
    #expect(masked("Compare the PASSWORD.", "password") == "Compare the PASSWORD.")
  }

  @Test("A text that is not built in place counts as coming from outside")
  func outside() {
    #expect(masked(Sentence(outside: "The server refused."), "refused") == "The server ‹secret›.")
    let variable = "The server refused."
    #expect(masked("\(variable)", "refused") == "The server ‹secret›.")
    #expect(masked("\(7) was refused", "refused") == "7 was refused")
  }

  @Test("A sentence in a sentence keeps its parts, wherever it stands")
  func nested() {
    let inner: Sentence = "it refused \("refused")"
    #expect(masked("ä refused: \(inner), \("refused").", "refused") == "ä refused: it refused ‹secret›, ‹secret›.")
    var sum: Sentence = "refused "
    sum.append(inner)
    #expect(masked([sum, inner].joined, "refused") == "refused it refused ‹secret› it refused ‹secret›")
  }

  @Test("What lies only partly in our words is masked whole")
  func across() {
    #expect(masked("password=\("sesame")", "password=sesame") == "‹secret›")
    #expect(masked("\("pass")word \("word")", "password") == "‹secret› word")
    #expect(masked("\("a")bcdef\("g")", "abcdefg", "bcdefg") == "‹secret›")
    // Two parts of ours that touch are one text of ours in the source code, too: nothing came from outside.
    #expect(masked("a \("")password", "password") == "a password")
  }

  @Test("A secret that begins in our words and another that lies outside are both found")
  func behindOwn() {
    #expect(masked("refused\("refused")", "refused") == "refused‹secret›")
    // One that begins in our words overlaps the one behind them: nothing of that is left.
    #expect(masked("abcabc\("abcabc")", "abcabc") == "abc‹secret›")
  }

  @Test("The end of a sentence can be put differently")
  func replacing() {
    var sentence: Sentence = "\("it is") refused."
    sentence.replaceEnd("refused.", with: "taken: \("refused").")
    #expect(sentence.text == "it is taken: refused.")
    #expect(masked(sentence, "refused") == "it is taken: ‹secret›.")
    sentence.replaceEnd("nothing of it", with: "x")
    #expect(sentence.text == "it is taken: refused.")
    #expect(masked(("refused \("x")." as Sentence).withoutFullStop, "refused") == "refused x")
  }
}
