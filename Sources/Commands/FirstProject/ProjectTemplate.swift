import ArgumentParser
import Glibc
import Schema

/// What a new project begins with.
enum ProjectTemplate: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// One server, one runbook of one step, and nothing else.
  case minimal
  /// One server, with this repository's own runbooks and checks.
  case coturn
  /// Several servers with labels, with the same runbooks and checks.
  case fleet

  /// The runbook to begin with.
  var runbook: String { self == .minimal ? "relay-works" : "daily-health" }

  /// What is written, for a project of this name.
  func files(named name: String) -> [FirstProject.TemplateFile] {
    let written = [
      FirstProject.TemplateFile(path: "runbook.yaml", bytes: Array(projectFile(named: name).utf8)),
      FirstProject.TemplateFile(path: ".env", bytes: Array(environmentFile.utf8), mode: 0o600),
      FirstProject.TemplateFile(path: ".gitignore", bytes: Array(ignored.utf8)),
    ]
    return written.prefix(1) + documents + written.dropFirst()
  }

  /// Whose bytes the package manager puts into the executable.
  private var documents: [FirstProject.TemplateFile] {
    guard self != .minimal else {
      return [FirstProject.TemplateFile(path: "runbooks/relay-works.yaml", bytes: PackageResources.relay_works_yaml)]
    }
    return [
      FirstProject.TemplateFile(path: "runbooks/announce.yaml", bytes: PackageResources.announce_yaml),
      FirstProject.TemplateFile(path: "runbooks/daily-health.yaml", bytes: PackageResources.daily_health_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/daily-host-review.yaml", bytes: PackageResources.daily_host_review_yaml),
      FirstProject.TemplateFile(path: "runbooks/daily-log-review.yaml", bytes: PackageResources.daily_log_review_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/monthly-config-backup.yaml", bytes: PackageResources.monthly_config_backup_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/monthly-update-check.yaml", bytes: PackageResources.monthly_update_check_yaml),
      FirstProject.TemplateFile(path: "runbooks/p1-outage.yaml", bytes: PackageResources.p1_outage_yaml),
      FirstProject.TemplateFile(path: "runbooks/p2-degradation.yaml", bytes: PackageResources.p2_degradation_yaml),
      FirstProject.TemplateFile(path: "runbooks/p2-error-rate.yaml", bytes: PackageResources.p2_error_rate_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/quarterly-dr-restore-test.yaml", bytes: PackageResources.quarterly_dr_restore_test_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/quarterly-failover-test.yaml", bytes: PackageResources.quarterly_failover_test_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/quarterly-security-audit.yaml", bytes: PackageResources.quarterly_security_audit_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/rehearse-upgrade.yaml", bytes: PackageResources.rehearse_upgrade_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/troubleshoot-turn.yaml", bytes: PackageResources.troubleshoot_turn_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/weekly-cert-expiry.yaml", bytes: PackageResources.weekly_cert_expiry_yaml),
      FirstProject.TemplateFile(
        path: "runbooks/weekly-security-review.yaml", bytes: PackageResources.weekly_security_review_yaml),
      FirstProject.TemplateFile(path: "backups/coturn-config.yaml", bytes: PackageResources.coturn_config_yaml),
      FirstProject.TemplateFile(path: "checks/container-running.yaml", bytes: PackageResources.container_running_yaml),
      FirstProject.TemplateFile(path: "checks/coturn-auth.yaml", bytes: PackageResources.coturn_auth_yaml),
      FirstProject.TemplateFile(
        path: "checks/coturn-config-audit.yaml", bytes: PackageResources.coturn_config_audit_yaml),
      FirstProject.TemplateFile(path: "checks/coturn-sessions.yaml", bytes: PackageResources.coturn_sessions_yaml),
      FirstProject.TemplateFile(path: "checks/backup-fresh.yaml", bytes: PackageResources.backup_fresh_yaml),
      FirstProject.TemplateFile(path: "checks/backup-offsite.yaml", bytes: PackageResources.backup_offsite_yaml),
      FirstProject.TemplateFile(path: "checks/coturn-versions.yaml", bytes: PackageResources.coturn_versions_yaml),
      FirstProject.TemplateFile(path: "checks/disk-space.yaml", bytes: PackageResources.disk_space_yaml),
      FirstProject.TemplateFile(path: "checks/http-health.yaml", bytes: PackageResources.http_health_yaml),
      FirstProject.TemplateFile(path: "checks/host-tuning.yaml", bytes: PackageResources.host_tuning_yaml),
      FirstProject.TemplateFile(path: "checks/log-errors.yaml", bytes: PackageResources.log_errors_yaml),
      FirstProject.TemplateFile(path: "checks/outage-cause.yaml", bytes: PackageResources.outage_cause_yaml),
      FirstProject.TemplateFile(path: "checks/service-resources.yaml", bytes: PackageResources.service_resources_yaml),
      FirstProject.TemplateFile(path: "checks/stun-binding.yaml", bytes: PackageResources.stun_binding_yaml),
      FirstProject.TemplateFile(path: "checks/tls-expiry.yaml", bytes: PackageResources.tls_expiry_yaml),
      FirstProject.TemplateFile(path: "checks/tls-files.yaml", bytes: PackageResources.tls_files_yaml),
      FirstProject.TemplateFile(path: "checks/turn-relay.yaml", bytes: PackageResources.turn_relay_yaml),
      FirstProject.TemplateFile(path: "checks/turn-service.yaml", bytes: PackageResources.turn_service_yaml),
    ]
  }

  private var ignored: String { ".env\n.runbook\nbackups/vault\n*.key\n" + (self == .fleet ? "secrets\n" : "") }

  private func projectFile(named name: String) -> String {
    let isPlain = name.first?.isLetter == true && name.utf8.allSatisfy { Self.isPlainInYAML($0) }
    let project = "project: \(isPlain ? name : JSON.string(name).text())\n"
    return project + (self == .fleet ? Self.targets : self == .coturn ? Self.targetsToCome : "")
  }

  private static func isPlainInYAML(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  private static let targetsToCome = """

    # Without targets, TURN_SERVER of .env is the one server. Several, with labels to choose them by:
    #
    # targets:
    #   frankfurt:
    #     server: turn:turn-fra.example.com:3478?transport=udp
    #     username: probe
    #     credential: {env: TURN_FRA_CREDENTIAL}
    #     labels: {region: eu}

    """

  private static let targets = """

    # Put your own servers in place of these. Labels choose among them: --target region=eu, --target role=production; --target
    # frankfurt is one, --target all is every one.
    targets:
      # A user of the server, whose password is in .env.
      frankfurt:
        server: turn:turn-fra.example.com:3478?transport=udp
        tlsServer: turns:turn-fra.example.com:5349
        username: probe
        credential: {env: TURN_FRANKFURT_CREDENTIAL}
        labels: {region: eu, role: production}
      # A secret shared with the server (coturn: use-auth-secret), in a file that only you can read.
      singapore:
        server: turn:turn-sin.example.com:3478?transport=udp
        tlsServer: turns:turn-sin.example.com:5349
        secret: {file: secrets/singapore}
        labels: {region: ap, role: production}
      staging:
        server: turn:turn-staging.example.com:3478?transport=udp
        username: probe
        credential: {env: TURN_STAGING_CREDENTIAL}
        labels: {region: eu, role: staging}

    """

  private var environmentFile: String { self == .fleet ? Self.fleetEnvironment : Self.serverEnvironment }

  /// Every line is a comment: a made-up server or password would fail later, and less plainly than none.
  private static let serverEnvironment = """
    # The server that the runbooks are about. Only you can read this file, and git leaves it out. A variable of the
    # environment goes before its line here.
    #
    # TURN_SERVER=turn:turn.example.com:3478?transport=udp
    # TURN_USERNAME=
    # TURN_CREDENTIAL=

    # In place of user name and credential, if the server makes both from a shared secret (coturn: use-auth-secret):
    # TURN_SECRET=

    # The realm that it is expected to use; certificates to trust in place of the system's; one of your own, with its key:
    # TURN_REALM=
    # TURN_CA=
    # TURN_CERT=
    # TURN_KEY=
    # Where it speaks TLS, for the modules tls.* and `runbook probe turn --all-transports`:
    # TURN_TLS_SERVER=turns:turn.example.com:5349

    """

  private static let fleetEnvironment = """
    # Secrets of the targets that runbook.yaml declares. Only you can read this file, and git leaves it out. A variable of the
    # environment goes before its line here.
    #
    # TURN_FRANKFURT_CREDENTIAL=
    # TURN_STAGING_CREDENTIAL=

    """
}
