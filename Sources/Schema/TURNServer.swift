/// A STUN or TURN server under test with what is needed to use it: the value of `target` in expressions.
package struct TURNServer: Hashable, Sendable {
  /// The name under which the project declares it.
  package var name: String
  /// RFC 7064 or RFC 7065 URI.
  package var uri: String
  /// The URI under which it speaks TLS or DTLS, where ``uri`` is another; a `stuns` or `turns` one.
  package var tlsURI: String?
  /// The host of the URI.
  package var host: String
  package var username: String?
  /// The password of a long-term credential (RFC 8489, section 9.2).
  package var credential: Secret?
  /// The secret shared with the server from which time-limited REST credentials are made.
  package var secret: Secret?
  /// The realm that the server is expected to use (RFC 8489, section 9.2): a user is known in one realm.
  package var realm: String?
  /// A file of PEM certificates that are trusted in place of the system's.
  package var ca: String?
  /// A file of PEM certificates, our own first, to show where the server asks for one.
  package var certificate: String?
  /// The file of that certificate's private key, in PEM.
  package var key: String?
  /// The file of the network namespace in which it is reached, such as `/run/netns/NAME`; nil for this host's own network.
  package var namespace: String?
  /// The address at which it is reached in place of those of ``host``.
  package var address: String?
  package var labels: [String: String]

  package init(
    name: String, uri: String, tlsURI: String? = nil, host: String, username: String? = nil,
    credential: Secret? = nil, secret: Secret? = nil, realm: String? = nil, ca: String? = nil,
    certificate: String? = nil, key: String? = nil, namespace: String? = nil, address: String? = nil,
    labels: [String: String] = [:]
  ) {
    self.name = name
    self.uri = uri
    self.tlsURI = tlsURI
    self.host = host
    self.username = username
    self.credential = credential
    self.secret = secret
    self.realm = realm
    self.ca = ca
    self.certificate = certificate
    self.key = key
    self.namespace = namespace
    self.address = address
    self.labels = labels
  }

  package static let record = Record(
    Self.init(name:uri:tlsURI:host:username:credential:secret:realm:ca:certificate:key:namespace:address:labels:),
    Field("name", \.name, .string, "The name under which the project declares the server."),
    Field("uri", \.uri, .turnURI, "Where it listens, such as turn:turn.example.com:3478?transport=udp."),
    Field(
      "tlsURI", \.tlsURI, .optional(.turnURI),
      "Where it speaks TLS and DTLS, if that is another; stuns: or turns:."),
    Field("host", \.host, .host, "The host of the URI."),
    Field("username", \.username, .optional(.string), "User name of a long-term credential."),
    Field("credential", \.credential, .optional(.secret), "Password of a long-term credential."),
    Field("secret", \.secret, .optional(.secret), "Secret from which time-limited REST credentials are made."),
    Field("realm", \.realm, .optional(.string), "The realm that the server is expected to use."),
    Field("ca", \.ca, .optional(.path), "PEM file of certificates trusted in place of the system's."),
    Field(
      "certificate", \.certificate, .optional(.path), "PEM file of the certificate to show if one is asked for."),
    Field("key", \.key, .optional(.path), "PEM file of that certificate's private key."),
    Field(
      "namespace", \.namespace, .optional(.path),
      "The network namespace in which it is reached, as a file: /run/netns/NAME or /proc/PID/ns/net."),
    Field("address", \.address, .optional(.ip), "Where it is reached, in place of the addresses of its host."),
    Field("labels", \.labels, .map(.string), default: [:], "Labels, by which targets are chosen.")
  )

  package static var recordType: RecordType { record.type }
}

extension FieldType where Wrapped == TURNServer {
  package static var turnServer: Self {
    Self(
      .turnServer, decode: { (value) throws(Mismatch) in try TURNServer.record.decode(admitted: value) },
      encode: TURNServer.record.encode)
  }
}
