import Docker
import Testing

/// Names of images, taken apart.
@Suite struct ImageNameTests {
  @Test(
    "A colon before a slash is of the registry's port, and a digest pins",
    arguments: [
      ("coturn", "coturn", nil, nil), ("coturn/coturn:4.6", "coturn/coturn", "4.6", nil),
      ("127.0.0.1:5000/coturn", "127.0.0.1:5000/coturn", nil, nil),
      ("127.0.0.1:5000/coturn:lab", "127.0.0.1:5000/coturn", "lab", nil),
      ("coturn:4.6@sha256:ab", "coturn", "4.6", "sha256:ab"), ("r:1/a/b@sha256:ab", "r:1/a/b", nil, "sha256:ab"),
    ] as [(String, String, String?, String?)])
  func read(text: String, repository: String, tag: String?, digest: String?) {
    let name = ImageName(text)
    #expect(name.repository == repository && name.tag == tag && name.digest == digest)
  }
}
