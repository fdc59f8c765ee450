import Lab
import Testing

@Suite("A server's configuration")
struct LabServerSettingsTests {
  private let common = """
    listening-ip=127.0.0.1
    relay-ip=127.0.0.1
    listening-port=4001
    realm=r.example
    no-cli
    userdb=turndb
    pidfile=turnserver.pid
    log-file=turnserver.log
    simple-log
    no-stdout-log
    verbose
    relay-threads=1
    allow-loopback-peers

    """

  @Test("has a long-term user, and neither TLS nor DTLS without a certificate")
  func longTerm() {
    let settings = LabServerSettings(
      realm: "r.example", authentication: .longTerm(username: "u", credential: "p"), port: 4001)
    #expect(settings.configuration == common + "lt-cred-mech\nuser=u:p\nno-tls\nno-dtls\n")
  }

  @Test("has a shared secret and no user, TLS of today's versions, and what is asked for besides")
  func sharedSecret() {
    var settings = LabServerSettings(realm: "r.example", authentication: .sharedSecret("s"), port: 4001)
    settings.tls = (4002, .init(chain: "c.pem", key: "k.pem"))
    settings.nonceSeconds = 2
    settings.userQuota = 3
    settings.directives = ["no-tcp-relay"]
    #expect(
      settings.configuration == common + """
        use-auth-secret
        static-auth-secret=s
        tls-listening-port=4002
        cert=c.pem
        pkey=k.pem
        no-tlsv1
        no-tlsv1_1
        stale-nonce=2
        user-quota=3
        no-tcp-relay

        """)
  }

  @Test("can be open to everyone, without UDP and without loopback peers")
  func anonymous() {
    var settings = LabServerSettings(realm: "r.example", authentication: .none, port: 4001)
    settings.listensOnUDP = false
    settings.allowsLoopbackPeers = false
    let text = common.replacing("allow-loopback-peers", with: "no-udp")
    #expect(settings.configuration == text + "no-auth\nno-tls\nno-dtls\n")
  }
}
