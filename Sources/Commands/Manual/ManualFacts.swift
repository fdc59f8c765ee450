/// What the manual page says that no command declares.
enum ManualFacts {
  /// A word or path, and what it is for.
  typealias Entry = (term: String, meaning: String)

  static let exitCodes: [Entry] = [
    ("0", "Everything passed; warnings count as passed, unless `--strict` was given."),
    ("1", "A check failed."),
    ("2", "Nothing was run: wrong usage, an invalid runbook, an unknown name, a missing secret."),
    ("3", "The result is unknown: runbook itself failed to look, or the end of a step is not recorded."),
    ("4", "Nothing was done: another run holds the lock."),
    ("5", "A person declined, or nobody came to answer."),
    ("128+n", "Signal n ended it, after cleaning up."),
    (
      "0 to 3, for Nagios",
      """
      With `--format nagios` those of a plugin: OK, WARNING, CRITICAL, and UNKNOWN, which is also what kept a run from \
      starting.
      """
    ),
  ]

  static let environment: [Entry] = [
    (
      "RUNBOOK_PROJECT",
      """
      The project's folder. Without it and `--project`: the nearest folder with runbook.yaml, from here upwards, or \
      /etc/runbook.
      """
    ),
    (
      "RUNBOOK_LAB",
      "Set by `runbook lab exec`: neither .env nor the project's targets are taken, only the environment."
    ),
    ("RUNBOOK_STATE", "The folder where runs are kept, in place of the project's own."),
    ("RUNBOOK_LOCKS", "The folder of the locks, in place of /run/lock/runbook, which all users share."),
    ("RUNBOOK_STEP", "Set for what `process.start` and `process.restart` start: which step of which run did it."),
    ("RUNBOOK_DEBUG", "1 does what `--debug` does: what is done is told on standard error, without values."),
    ("TURN_SERVER", "The server under test if the project declares none: turn:turn.example.com:3478?transport=udp."),
    ("TURN_USERNAME, TURN_CREDENTIAL", "User name and password of a long-term credential for it."),
    ("TURN_SECRET", "In place of the two, the shared secret from which time-limited credentials are made."),
    ("TURN_REALM", "The realm that the server is expected to use."),
    ("TURN_CA", "A file of certificates to trust in place of the system's."),
    ("TURN_CERT, TURN_KEY", "Files of a certificate of our own and its key, for a server that asks for one."),
    ("TURN_TLS_SERVER", "Where the server speaks TLS, if that is another URI than TURN_SERVER."),
    ("CREDENTIALS_DIRECTORY", "The folder of systemd's credentials, for secrets that name one."),
    (
      "DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG",
      """
      The Docker engine, the context that names it, and the folder of docker's configuration (~/.docker), as for docker \
      itself. DOCKER_HOST goes first.
      """
    ),
    ("DOCKER_TLS_VERIFY, DOCKER_CERT_PATH", "Set, DOCKER_HOST is asked over TLS; the folder of the certificates."),
    ("XDG_RUNTIME_DIR", "The folder in memory for runs with `--volatile`, if there is no /dev/shm."),
    ("NO_COLOR", "Set to anything, it turns colours off. They are used on a terminal only."),
    ("TERM", "`dumb` turns colours off."),
    ("SOURCE_DATE_EPOCH", "The date of this page, when it is made."),
  ]

  static let files: [Entry] = [
    ("runbook.yaml", "What makes a folder a project: its name, and the servers that it is about."),
    ("runbooks/NAME.yaml, checks/NAME.yaml", "Runbooks, and the checks that they are made of."),
    (
      ".env",
      """
      NAME=VALUE lines for TURN_SERVER and the like. The environment of the process goes before it. Keep it readable by \
      its owner alone, and out of version control.
      """
    ),
    (".runbook", "Runs of the project and their journals; the lab while it is up."),
    ("/run/lock/runbook", "The locks that runs hold. The files in it stay; only what the kernel knows of them counts."),
    ("/etc/runbook, /var/lib/runbook", "The project that is installed for the whole machine, and its runs."),
  ]
}
