import Addresses
import Journal
import Probe
import Schema

/// What one address of a server showed, for an output.
package struct ServedCertificate: Hashable, Sendable {
  package var address: String
  package var fingerprint: String?
  package var daysLeft: Int?
  package var trusted: Bool
  package var problem: String?

  static let record = Record(
    ServedCertificate.init,
    Field("address", \.address, .string, "The address and port."),
    Field("fingerprint", \.fingerprint, .optional(.string), "Of the certificate that it showed; absent: none."),
    Field("daysLeft", \.daysLeft, .optional(.int), "Whole days left over the path that verifies; absent: none does."),
    Field("trusted", \.trusted, .bool, "Whether the certificate is trusted, valid now, and for every expected name."),
    Field("problem", \.problem, .optional(.string), "What is wrong with it; absent: nothing.")
  )
}

/// Addresses that showed the same certificates, and what is wrong with these.
struct ServedChain {
  let addresses: [TransportAddress]
  let handshake: TLSHandshake
  /// The server's own.
  let certificate: CertificateDetails
  let names: [NameRecord]
  let daysLeft: Int?
  let isTrusted: Bool
  /// Whether it is the one of the file; nil: no file is given.
  let isOfFile: Bool?
  /// The worst first.
  let findings: [Finding]

  /// What is asked of a certificate.
  struct Demand {
    let names: [String]
    let file: CertificateFile?
    /// Seconds since 1970.
    let now: Int64
  }

  /// nil without a certificate.
  init?(_ addresses: [TransportAddress], _ handshake: TLSHandshake, _ demand: Demand) {
    guard let certificate = handshake.certificates.first, let judgement = handshake.judgement else { return nil }
    self.addresses = addresses
    self.handshake = handshake
    self.certificate = certificate
    let target = addresses.map(\.description).joined(separator: ", ")
    names = NameRecord.all(demand.names, of: certificate)
    daysLeft = judgement.daysLeft(at: demand.now)
    let own = demand.file?.certificates.first
    isOfFile = own.map { $0.fingerprint == certificate.fingerprint }
    isTrusted = judgement.failure == nil && names.allSatisfy(\.covered)
    findings = [
      judgement.finding(of: target), NameRecord.finding(names, of: target, certificate),
      isOfFile == false ? demand.file.map { Self.notServed($0, certificate, target, at: demand.now) } : nil,
    ].compactMap(\.self)
  }

  /// Puts together the addresses that showed the same.
  static func all(_ sightings: [CertificateProbe.Sighting], _ demand: Demand) -> [ServedChain] {
    var shown: [(addresses: [TransportAddress], handshake: TLSHandshake)] = []
    for sighting in sightings {
      guard case .success(let handshake) = sighting.result else { continue }
      if let place = shown.firstIndex(where: { $0.handshake.certificates == handshake.certificates }) {
        shown[place].addresses.append(sighting.address)
      } else {
        shown.append(([sighting.address], handshake))
      }
    }
    return shown.compactMap { ServedChain($0.addresses, $0.handshake, demand) }
  }

  private static func notServed(
    _ file: CertificateFile, _ served: CertificateDetails, _ target: String, at now: Int64
  ) -> Finding {
    let own = file.certificates[0]
    let prints = "It serves \(served.fingerprint.prefix(16))…, and the file holds \(own.fingerprint.prefix(16))…."
    guard own.notAfter > served.notAfter else {
      return Finding(
        "tls.fileNotServed",
        "\(target) does not serve the certificate of \(file.path), which is older than the one that it serves. \(prints)",
        advice: "Look which file the server's configuration names: it is another one than this.")
    }
    let days = max(0, wholeDays(now - file.modified))
    let when = days == 0 ? "less than a day ago" : days == 1 ? "a day ago" : "\(days) days ago"
    return Finding(
      "tls.fileNotServed",
      "\(target) does not serve the certificate of \(file.path), which was renewed \(when). \(prints)",
      advice:
        "Let the server load it (coturn: SIGUSR2, or a restart). That does not help a container that has the single "
        + "file mounted: it keeps the old one. Create it anew, and mount the folder. Then run this again.")
  }
}
