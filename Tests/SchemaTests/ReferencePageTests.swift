import Testing

@testable import Schema

@Suite struct ReferencePageTests {
  static let page = ReferencePage(
    name: "turn.relay", summary: "Relays packets.", discussion: "It needs two allocations.",
    facts: [.init("effect", "observe"), .init("deadline", "30s")],
    sections: [
      .init(
        "Input",
        RecordType(fields: [
          FieldDeclaration(name: "server", type: .turnServer, summary: "The server."),
          FieldDeclaration(
            name: "packets", type: .int, fallback: .int(50), bounds: Bounds(minimum: .int(1), maximum: .int(1000)),
            summary: "How many."),
          FieldDeclaration(
            name: "mode", type: .optional(.enumeration(["a", "b|c"])), fallback: .null, summary: "How."),
          FieldDeclaration(name: "size", type: .byteSize, fallback: .int(1024), summary: "How large."),
        ]), isGiven: true),
      .init(
        "Output",
        RecordType(fields: [
          FieldDeclaration(
            name: "rtt",
            type: .record(
              RecordType(fields: [FieldDeclaration(name: "p95", type: .duration, summary: "95th percentile.")])),
            summary: "Round trips."),
          FieldDeclaration(
            name: "nodes",
            type: .list(.record(RecordType(fields: [FieldDeclaration(name: "host", type: .host, summary: "Host.")]))),
            summary: "Nodes."),
        ]), isGiven: false),
    ],
    examples: [.init(title: "Fifty packets", text: "server: ${target}\npackets: 50")])

  @Test("A page in Markdown has a table for every group of fields")
  func markdown() {
    #expect(
      Self.page.markdown() == """
        ## `turn.relay`

        Relays packets.

        It needs two allocations.

        - **effect**: observe
        - **deadline**: 30s

        ### Input

        | field | type | default | meaning |
        |---|---|---|---|
        | `server` | `turn-server` | required | The server. |
        | `packets` | `int` | `50` | How many. From 1 to 1000. |
        | `mode` | `optional<enum(a, b\\|c)>` |  | How. |
        | `size` | `bytesize` | `1KiB` | How large. |

        ### Output

        | field | type | meaning |
        |---|---|---|
        | `rtt` | `record` | Round trips. |
        | `rtt.p95` | `duration` | 95th percentile. |
        | `nodes` | `list<record>` | Nodes. |
        | `nodes[].host` | `host` | Host. |

        Fifty packets:

        ```yaml
        server: ${target}
        packets: 50
        ```

        """)
  }

  @Test("A page for a terminal wraps what is too wide")
  func terminal() {
    #expect(
      Self.page.terminal(width: 40) == """
        turn.relay
          Relays packets.

          It needs two allocations.

          effect    observe
          deadline  30s

        Input
          server   turn-server, required
                   The server.
          packets  int, default 50
                   How many. From 1 to 1000.
          mode     optional<enum(a, b|c)>
                   How.
          size     bytesize, default 1KiB
                   How large.

        Output
          rtt           record
                        Round trips.
          rtt.p95       duration
                        95th percentile.
          nodes         list<record>
                        Nodes.
          nodes[].host  host
                        Host.

        Fifty packets:
          server: ${target}
          packets: 50

        """)
  }
}
