import Foundation

/// A real nginx in the foreground, on free ports of 127.0.0.1 and at a unix socket, ended with the last reference to it.
package final class NginxServer: Sendable {
  private let process = Process()
  private let folder: TemporaryFolder
  package let port: UInt16
  package let tlsPort: UInt16
  package var socket: String { "\(folder.path)/nginx.sock" }
  package var accessLog: String { folder.read("access.log") }

  package struct NotStarted: Error {
    let text: String
  }

  /// Starts one, and returns when it answers.
  ///
  /// - Parameters:
  ///   - certificate: chain and key, PEM.
  ///   - locations: what stands in its `server`, such as `location / { return 200 ok; }`.
  package init(certificate: (chain: String, key: String), locations: String) throws {
    folder = try TemporaryFolder()
    let first = try freePort()
    (port, tlsPort) = (first, try freePort(besides: first))
    let path = folder.path
    try folder.write(
      """
      daemon off; master_process off; pid \(path)/nginx.pid; error_log stderr;
      events {}
      http {
        access_log \(path)/access.log;
        client_body_temp_path \(path)/body; proxy_temp_path \(path)/proxy; fastcgi_temp_path \(path)/fastcgi;
        uwsgi_temp_path \(path)/uwsgi; scgi_temp_path \(path)/scgi;
        gzip on; gzip_min_length 1; gzip_types *;
        server {
          listen 127.0.0.1:\(port);
          listen unix:\(path)/nginx.sock;
          listen 127.0.0.1:\(tlsPort) ssl http2;
          ssl_certificate \(certificate.chain); ssl_certificate_key \(certificate.key);
          root \(path);
          \(locations)
        }
      }
      """, to: "nginx.conf")
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/sbin/nginx")
    process.arguments = ["-c", "\(path)/nginx.conf"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = output
    try process.run()
    let end = ContinuousClock.now + .seconds(30)
    while isFree(port) || isFree(tlsPort) {
      guard process.isRunning, ContinuousClock.now < end else {
        Self.end(process)
        throw NotStarted(text: String(decoding: output.fileHandleForReading.availableData, as: UTF8.self))
      }
      usleep(5000)
    }
    output.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
  }

  /// Puts a file where it is served.
  package func write(_ text: String, to name: String) throws { try folder.write(text, to: name) }

  private static func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  deinit { Self.end(process) }
}
