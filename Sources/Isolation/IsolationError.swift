import CIsolation
import Glibc
import Processes

/// Why there is no isolated host, or why nothing can be done in it. There is never a weaker one in its place.
package struct IsolationError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// This user may not make one.
    case notPermitted
    /// This kernel, or the container that this runs in, offers no namespaces or no overlay.
    case notOffered
    /// A system call failed for another reason.
    case system
    /// It has ended.
    case gone
  }

  package let kind: Kind
  /// What failed and why, in a sentence without its full stop.
  package let message: String
  /// What to do, in sentences.
  package let advice: String

  package init(_ kind: Kind, _ message: String, advice: String) {
    self.kind = kind
    self.message = message
    self.advice = advice
  }

  static let notRoot = IsolationError(
    .notPermitted, "only root may make namespaces and mount file systems in them",
    advice: "Run this as root: sudo runbook run …")

  init(_ failure: isolation_failure) {
    let reason = failure.error == 0 ? "it ended" : String(errorNumber: failure.error)
    let container =
      "In a container, run it with the rights to mount and to make namespaces (docker run --privileged), or on the host."
    switch failure.step {
    case isolation_step_clone where [EPERM, EINVAL, ENOSYS, ENOSPC, EUSERS].contains(failure.error):
      self.init(
        .notOffered, "no namespaces can be made here: \(reason)",
        advice: "\(container) The kernel's limits are in /proc/sys/user (max_mnt_namespaces and others).")
    case isolation_step_overlay where failure.error == ENODEV:
      self.init(
        .notOffered, "this kernel has no overlay file system", advice: "Load it: modprobe overlay.")
    case isolation_step_overlay where failure.error == EINVAL:
      self.init(
        .notOffered, "nothing can be laid over the root file system of this host: \(reason)",
        advice: "The kernel's log says why: dmesg | grep overlay. \(container)")
    default:
      let isRefused = failure.error == EPERM || failure.error == EACCES
      self.init(
        isRefused ? .notOffered : .system, "\(Self.name(of: failure.step)) failed: \(reason)",
        advice: isRefused ? container : "Look at the kernel's log: dmesg.")
    }
  }

  private static func name(of step: isolation_step) -> String {
    switch step {
    case isolation_step_clone: "making the namespaces"
    case isolation_step_private_mounts: "making the mounts private"
    case isolation_step_scratch: "mounting memory for what is written"
    case isolation_step_overlay: "laying a file system over the root"
    case isolation_step_image: "laying a file system over the image"
    case isolation_step_run: "mounting an empty /run"
    case isolation_step_devices: "mounting /dev"
    case isolation_step_proc: "mounting /proc"
    case isolation_step_root: "changing the root"
    case isolation_step_loopback: "bringing up the loopback interface"
    case isolation_step_settings: "closing the kernel's settings"
    default: "setting it up"
    }
  }
}
