import Language
import Probe

extension CertificateFiles {
  /// What would keep a probe from using these files.
  var problems: [Problem] {
    var options = TLSOptions()
    options.trustFile = ca
    if let certificate, let key {
      options.clientCertificate = TLSOptions.ClientCertificate(chainFile: certificate, keyFile: key)
    }
    return options.fileProblems().map { problem in
      switch problem.role {
      case .trust: Problem(.ca, problem.reason, advice: Self.form)
      case .chain: Problem(.certificate, problem.reason, advice: Self.form)
      case .key:
        Problem(.key, problem.reason, advice: "it must be the certificate's own key, in PEM, without a passphrase")
      }
    }
  }

  private static let form = "it must be a PEM file: -----BEGIN CERTIFICATE-----"
}
