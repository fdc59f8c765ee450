/// The version of runbook, by semantic versioning (semver.org).
package let runbookVersion = "0.1.0"
