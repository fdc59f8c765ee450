import Foundation
import Processes
import Schema
import Testing

/// What `stun.behaviour` says behind a real NAT, Linux's own, in networks of the test's own.
@Suite(.serialized) struct MasqueradeTests {
  /// A client at 10.0.0.2, a NAT that masquerades it as 198.18.0.100, and a server with the addresses 198.18.0.1 and
  /// 198.18.0.2. `$2` is one more rule set of the NAT's.
  private static let script = """
    runbook=$1 rules=$2
    ip link set lo up
    unshare --net sleep 600 & nat=$!
    unshare --net sleep 600 & host=$!
    trap 'kill $nat $host' EXIT
    at() { pid=$1; shift; nsenter --net=/proc/$pid/ns/net "$@"; }
    for pid in $nat $host; do
      until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do kill -0 $pid; done
    done
    ip link add inner type veth peer name inside netns $nat
    ip address add 10.0.0.2/24 dev inner
    ip link set inner up
    at $nat ip link set lo up
    at $nat ip address add 10.0.0.1/24 dev inside
    at $nat ip link set inside up
    at $nat ip link add outside type veth peer name outer netns $host
    at $nat ip address add 198.18.0.100/24 dev outside
    at $nat ip link set outside up
    at $host ip link set lo up
    at $host ip address add 198.18.0.1/24 dev outer
    at $host ip address add 198.18.0.2/24 dev outer
    at $host ip link set outer up
    ip route add default via 10.0.0.1
    at $nat sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    at $nat nft add table ip nat
    at $nat nft add chain ip nat late '{ type nat hook postrouting priority srcnat; }'
    at $nat nft add rule ip nat late oifname outside masquerade
    [ -z "$rules" ] || at $nat nft "$rules"
    at $host setpriv --pdeathsig KILL -- turnserver -n --listening-ip 198.18.0.1 --listening-ip 198.18.0.2 \\
      --relay-ip 198.18.0.1 --no-cli --no-tls --no-dtls --userdb turndb --pidfile turnserver.pid \\
      --log-file turnserver.log --simple-log --realm r.example >turnserver.out 2>&1 & server=$!
    trap 'kill $nat $host; kill -KILL $server' EXIT
    until "$runbook" probe stun stun:198.18.0.1:3478 -p requests=1 >/dev/null; do kill -0 $server; done
    "$runbook" probe stun.behaviour stun:198.18.0.1:3478 --format json || test $? = 1
    """

  private static let closed = """
    table inet firewall { chain arrivals { type filter hook input priority filter; iifname outside udp dport 1024-65535 drop; }; }
    """

  @Test(
    "Behind Linux's masquerading a server that answers as it is asked is not blamed, and the filter is told",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"), arguments: ["", closed])
  func masqueraded(rules: String) async throws {
    let project = try CommandLineProject()
    var command = project.command([])
    let shell = TestNetwork.shell(Self.script, [command.executable, rules])
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    let found = try output.json
    #expect(found["error"] == .null, "\(found)")
    #expect(found["output"]?["behindNAT"] == true)
    #expect(found["output"]?["reflexiveAddress"]?.string?.hasPrefix("198.18.0.100:") == true)
    #expect(found["output"]?["mapping"] == "endpointIndependent")
    #expect(found["output"]?["filtering"] == "addressAndPortDependent")
  }
}
