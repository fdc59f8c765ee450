import Files

/// The ports on which somebody listens in the network of a process: `/proc/PID/net` (proc(5)).
struct ListeningPorts: Sendable {
  let listeners: Set<RestoredConfiguration.Listener>

  init(ofProcess pid: Int32) {
    var found: Set<RestoredConfiguration.Listener> = []
    for (transport, tables) in [("udp", ["udp", "udp6"]), ("tcp", ["tcp", "tcp6"])] {
      for table in tables {
        guard let bytes = try? File.read("/proc/\(pid)/net/\(table)", limit: 16 << 20).bytes else { continue }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst() {
          let fields = line.split(separator: " ")
          // 0A is LISTEN; sockets of UDP have no such state, and one that is connected answers nobody else.
          guard fields.count > 3, fields[3] == (transport == "tcp" ? "0A" : "07"),
            let port = fields[1].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) })
          else { continue }
          found.insert(RestoredConfiguration.Listener(transport: transport, port: port))
        }
      }
    }
    listeners = found
  }
}
