import Schema

/// The documentation of the journal's form, made from the declarations that write and read it.
package enum JournalReference {
  /// `docs/journal.md`.
  package static func markdown() -> String {
    var text = introduction
    text += "## The envelope\n\nEvery line begins with these members, in this order.\n\n"
    text += table(of: JournalLine.envelope)
    text += "\n## The events\n\nThe members after the envelope, by `type`. Kinds and members are only ever added;"
    text += " a reader keeps what it does not know.\n"
    for kind in Event.kinds {
      text += "\n### `\(kind.type)`\n\n\(kind.summary)\(durability(of: kind))\n\n" + table(of: kind.fields)
      for (name, record) in kind.fields.nestedRecords {
        text += "\n`\(name)`:\n\n" + table(of: record)
      }
    }
    return text
  }

  private static func durability(of kind: EventKind) -> String {
    switch kind.durability {
    case .eventually: ""
    case .always: " On the disk before anything else happens."
    case .whenActing: " On the disk before anything else happens, if the step does more than observe."
    }
  }

  private static func table(of record: RecordType) -> String {
    var text = "| member | type | meaning |\n|---|---|---|\n"
    for field in record.fields {
      text += "| `\(field.name)` | \(name(of: field.type)) | \(field.summary) |\n"
    }
    return text
  }

  private static func name(of type: ValueType) -> String {
    switch type {
    case .record: "record"
    case .list(let element): "list of \(name(of: element))"
    case .optional(let wrapped): "\(name(of: wrapped)) or null"
    case .enumeration(let names): names.map { "`\($0)`" }.joined(separator: ", ")
    default: type.description
    }
  }

  private static let introduction = """
    # The journal of a run

    <!-- Generated from the declarations of the events. To write it anew: `make docs`. -->

    Everything that is known of a run lies in its folder, `runs/<ULID>/` in the state folder. Reports, history and evidence
    are made from it alone.

    | file | holds |
    |---|---|
    | `journal.jsonl` | the events, one a line |
    | `sources/` | `runbook.yaml`, the runbook and every check it used, byte for byte, by their paths in the project |
    | `params.json` | the parameters, secrets masked |
    | `outputs/<sha256>.json` | members that were too large for a line, named by their digest |
    | `line-N.torn` | what a crash left of line N, if the run was continued |

    The folder is built aside as `.new-<ULID>`, brought to the disk, and renamed into place with its first event in it.
    `.number` beside it holds the number of the last run, `.id` the id of the state folder; a run that is removed (`runbook prune`) does not set its number free. Runs are
    put in place and removed under the lock of `.lock`; what a crash left half-removed is named `.gone-<ULID>`, and goes with the next run.

    - **Form.** One JSON object a line, at most 64 KiB with its LF. Durations and sizes are as people write them (`4.2ms`),
      moments are RFC 3339 in UTC, secrets are `\(Secret.mask)`. A member that does not fit into the line is replaced by
      `{"$file": "outputs/<sha256>.json", "bytes": n}`, the largest first.
    - **Chain.** `prev` is the SHA-256 of the line before, without its LF, so that an edited, missing or moved line
      shows. The last line has no successor: a change of it, or what was cut off at a line's end, does not show in the chain.
    - **Agreement.** A reader reckons the outcome again: `run.finished` must say what the steps and child runs come to (or worse, with
      a `finding`), and no step may have ended better than its last try, its expectations and the steps inside it. The files of
      `sources/` must have the digests of `run.started`, `params.json` its parameters. A parent and its children, if they lie beside
      each other, must have recorded the same outcome of each child.
    - **Limits.** Who rewrites a whole journal, and those of its parent and children, is not found out: journals are not signed.
    - **Owner.** If root records a run in somebody else's folder, the files are given to the folder's owner and group. If the state
      folder's group may write to it, its members share what is in it.
    - **Types.** `types.declared` gives the types of a module's or check's input and output once, `paramTypes` those of the
      parameters, and every actual value has its `type`. A type is `"duration"`, `{"list": T}`, `{"map": T}`,
      `{"optional": T}`, `{"secret": T}`, `{"enum": ["udp", "tcp"]}` or `{"record": [["name", T], …]}`. Text is a duration or a
      moment only if its type says so.
    - **Paths.** `stage` names the part of the run, `path` the step in it: ids joined by slashes. An id may be followed by
      `[element]` of a loop, from 0, and by `#try` of a check or group, from 2: `sweep[2]/probe`, `turn#2/relay`.
    - **Durability.** Kinds that say so below are on the disk (`fdatasync`) before anything else happens. After an
      error of the disk nothing more is written, and no sync is tried again.
    - **Lock.** A process that writes holds an exclusive open-file-description lock (`fcntl`, `F_OFD_SETLK`) on
      `journal.jsonl`; a journal without `run.finished` and without the lock belongs to a run that died.
    - **Recovery.** A last line without LF was cut off by a crash. Who only reads leaves it out. Who goes on with the run
      keeps it as `line-N.torn`, cuts it off and records `journal.recovered`. A break anywhere else is refused, with the line;
      so is a last line that is longer than lines may be, but for zeros at its end: some file systems leave them after a loss of
      power, and beyond that length `line-N.torn` is without them.

    To verify the chain without `runbook`:

    ```sh
    prev=$(printf '0%.0s' $(seq 64)); n=0
    while IFS= read -r line; do
      n=$((n + 1))
      [ "$(printf '%s' "$line" | jq -r .prev)" = "$prev" ] || echo "line $n does not follow"
      prev=$(printf '%s' "$line" | sha256sum | cut -d' ' -f1)
    done < journal.jsonl
    ```


    """
}

extension RecordType {
  /// The records inside fields and lists, by the field's name and at any depth, in the order in which they occur.
  fileprivate var nestedRecords: [(name: String, record: RecordType)] {
    fields.flatMap { field in
      field.type.record.map { [(field.name, $0)] + $0.nestedRecords } ?? []
    }
  }
}

extension ValueType {
  fileprivate var record: RecordType? {
    switch self {
    case .record(let record): record
    case .list(let wrapped), .optional(let wrapped), .map(let wrapped): wrapped.record
    default: nil
    }
  }
}
