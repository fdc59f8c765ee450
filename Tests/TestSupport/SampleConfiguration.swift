/// A turnserver.conf in which nothing is wrong but what its version says, from 4.6.0 to 4.6.3.
package enum SampleConfiguration {
  /// One that serves no TLS.
  package static let withoutTLS = """
    listening-ip=192.0.2.10
    relay-ip=192.0.2.10
    realm=turn.example.com
    use-auth-secret
    static-auth-secret=8f1c2a97e4b05d36c1f7a2e980b4d653
    no-multicast-peers
    no-tcp-relay
    denied-peer-ip=0.0.0.0-0.255.255.255
    denied-peer-ip=10.0.0.0-10.255.255.255
    denied-peer-ip=100.64.0.0-100.127.255.255
    denied-peer-ip=127.0.0.0-127.255.255.255
    denied-peer-ip=169.254.0.0-169.254.255.255
    denied-peer-ip=172.16.0.0-172.31.255.255
    denied-peer-ip=192.168.0.0-192.168.255.255
    denied-peer-ip=::1
    denied-peer-ip=::ffff:0:0-::ffff:ffff:ffff
    denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
    denied-peer-ip=fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff
    user-quota=12
    total-quota=1200
    max-bps=1250000
    no-cli
    no-rfc5780
    no-stun-backward-compatibility
    no-software-attribute

    """

  package static let right =
    withoutTLS + """
      cert=/etc/coturn/fullchain.pem
      pkey=/etc/coturn/privkey.pem
      no-tlsv1
      no-tlsv1_1
      no-dtls

      """
}
