/// Is told in a few words what a probe is doing, for people who wait; never what came of it.
///
/// Called from any thread, once for each thing that is tried; of what goes packet by packet, a few times a second.
package typealias ProbeProgress = @Sendable (String) -> Void
