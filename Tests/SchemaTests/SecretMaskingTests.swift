import Foundation
import Testing

@testable import Schema

@Suite struct SecretMaskingTests {
  private static let secret = #"pä ss/w&rd+"\1"#

  private func masked(_ text: String, _ secrets: String...) -> String {
    SecretMasking(secrets.map { Secret($0) }).masked(text)
  }

  /// What the system's own programs and libraries make of the secret.
  private static let forms: [(String, String)] = {
    let bytes = Data(secret.utf8)
    let strict = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
    let percent = secret.addingPercentEncoding(withAllowedCharacters: strict) ?? ""
    let json = (try? JSONSerialization.data(withJSONObject: [secret])).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let hex = bytes.map { String(format: "%02x", $0) }
    return [
      ("literal", secret), ("upper case", secret.uppercased()), ("URL", percent),
      ("URL, small digits", percent.lowercased()),
      ("form", percent.replacing("%20", with: "+")), ("URL, the blanks only", secret.replacing(" ", with: "%20")),
      ("JSON", String(json.dropFirst(2).dropLast(2))), ("JSON, ASCII", #"p\u00e4 ss\/w\u0026rd+\"\\1"#),
      ("HTML", "pä ss/w&amp;rd+&quot;\\1"), ("HTML, numbers", "p&#228; ss&#x2F;w&#38;rd&#43;&#34;&#92;1"),
      ("quoted-printable", "p=C3=A4 ss/w&rd+=\"\\1".replacing("+=\"", with: "+\"")),
      ("hex", hex.joined()), ("hex, large", hex.joined().uppercased()), ("hex, pairs", hex.joined(separator: ":")),
      ("hex, bytes", hex.map { "\\x" + $0 }.joined()),
      ("folded", "pä s\r\n s/w&rd+\"\\1"), ("folded by a shell", "pä ss\\\n/w&rd+\"\\1"),
    ]
  }()

  @Test("A secret is masked in every form that programs write it in", arguments: forms)
  func anyForm(_ name: String, _ form: String) {
    #expect(masked("a=\(form);", Self.secret) == "a=‹secret›;")
  }

  @Test("Bytes as a C program lists them are masked")
  func listed() {
    let bytes = Self.secret.utf8.map { "0x" + String(0x100 + Int($0), radix: 16).dropFirst() }.joined(separator: ", ")
    #expect(masked("{\(bytes)};", Self.secret) == "{0x‹secret›};")
  }

  @Test("In base64 it is masked wherever it lies in what was encoded", arguments: ["", "u", "us", "user", "alice"])
  func base64(_ user: String) throws {
    for (secret, behind) in [(Self.secret, ""), (Self.secret, "\n"), ("sesame-öffne", ":x"), ("abcdef", "yz")] {
      let plain = user + (user.isEmpty ? "" : ":") + secret + behind
      for options: Data.Base64EncodingOptions in [[], [.lineLength64Characters]] {
        let encoded = Data(plain.utf8).base64EncodedString(options: options)
        for text in [
          encoded, encoded.replacing("+", with: "-").replacing("/", with: "_"),
          encoded.replacing("+", with: "%2B").replacing("/", with: "%2F"),
        ] {
          let found = masked("Basic \(text) end", secret)
          #expect(
            found.contains(Secret.mask) && found.hasSuffix(" end") || found.hasSuffix("= end"), "\(plain): \(found)")
          // What is left of it decodes to nothing of the secret.
          let rest = found.dropFirst(6).replacing(Secret.mask, with: "").prefix { $0 != " " && $0 != "=" }
          #expect(rest.utf8.count <= (user.utf8.count + behind.utf8.count + 3) * 4 / 3 + 1, "\(plain): \(found)")
        }
      }
    }
  }

  @Test("base64 folded as the base64 command folds it is masked")
  func folded() {
    let secret = String(repeating: "correct horse battery staple ", count: 6)
    let lines = Data(("user:" + secret).utf8).base64EncodedString(options: [.lineLength76Characters])
    let found = masked(lines, secret)
    #expect(found.contains(Secret.mask) && found.utf8.count < 40, "\(found)")
    #expect(masked(lines.replacing("\r\n", with: "\\n"), secret).utf8.count < 40)
  }

  @Test("A secret of several lines is masked whole and by its lines, whatever ends them")
  func lines() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n"
    #expect(masked("k \(key.replacing("\n", with: "\r\n"))", key).hasPrefix("k ‹secret›"))
    #expect(masked("line MIIEvQIBADANBgkqhkiG9w0B found", key) == "line ‹secret› found")
  }

  @Test("A short secret is masked where it stands alone, and never inside a word")
  func short() {
    #expect(masked("denied-peer-ip", "p") == "denied-peer-ip")
    #expect(masked("the key p, p=p; (p) and pp", "p") == "the key ‹secret›, ‹secret›=‹secret›; (‹secret›) and pp")
    #expect(masked("cafép pé «p»", "p") == "cafép pé «‹secret›»")
    #expect(masked("a%2Fb a/b xa/b", "a/b") == "‹secret› ‹secret› xa/b")
    #expect(masked("port 3478", "478") == "port 3478")
    #expect(masked("sesame12345", "sesame") == "‹secret›12345")
  }

  @Test("The longer of two secrets is masked where both begin, and nothing else is touched")
  func longest() {
    #expect(masked("secret-one-two secret-one", "secret-one", "secret-one-two") == "‹secret› ‹secret›")
    let text = "100% of a\\b &amp; c=d \u{301}"
    #expect(masked(text, "nowhere-in-it") == text)
    #expect(masked("e\u{301}", "eeeeee") == "e\u{301}")
  }

  @Test("What was cut off inside a secret is masked, also inside an escape of it")
  func cut() {
    let masking = SecretMasking([Secret("top/secret")])
    #expect(masking.text(Array("key top/sec".utf8), isCut: true) == "key ‹secret›")
    #expect(masking.text(Array("key top%2".utf8), isCut: true) == "key ‹secret›")
    #expect(masking.text(Array("key top/sec".utf8)) == "key top/sec")
  }

  @Test("Bytes that are no UTF-8 do not hide a secret behind them")
  func invalidBytes() {
    #expect(
      SecretMasking([Secret("sesame")]).text([0xFF] + Array("sesame".utf8) + [0xC3]) == "\u{FFFD}‹secret›\u{FFFD}")
  }
}
