import Journal
import Schema
import Steps

extension StepError {
  /// A look at a path that did not come back within the step's time: the file system is named as the table of mounts has it, which
  /// answers when a file system does not.
  ///
  /// - Parameter path: absolute, as it was written: to follow its links would hang too.
  init(hangingAt path: String, _ mounts: [Mount]) {
    let mount = MountTable.mount(above: path, in: mounts)
    let place = mount.map { "at \($0.point) (\($0.fileSystem) on \($0.device))" } ?? "that holds it"
    self.init(
      .interrupted,
      Finding(
        "host.fileSystemHangs", "\(path) cannot be looked at: the file system \(place) does not answer",
        advice: "Look at the kernel's log (`dmesg`). If it is a network file system, check its server and the network.")
    )
  }
}
