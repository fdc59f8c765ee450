import Docker
import Journal
import Schema

/// What is wrong with a container, in words.
enum ContainerFinding {
  static func finding(_ container: Container, _ condition: ContainerCondition) -> Finding {
    let name = container.name
    switch condition {
    case .running, .healthy:
      return Finding("docker.otherCondition", "\(name) is \(condition.rawValue)", advice: "Look at `conditions`.")
    case .starting:
      return Finding(
        "docker.healthStarting", "\(name) runs, and its health check has not come to a result yet",
        advice: "Look again in a moment, or ask the service itself with a probe.")
    case .unhealthy:
      return Finding(
        "docker.unhealthy", "\(name) runs, and its health check fails",
        advice: """
          Docker does nothing about that: restart policies look only at whether the process ends. See what the check said: \
          docker inspect --format '{{json .State.Health.Log}}' \(name)
          """)
    case .flapping:
      return Finding(
        "docker.flapping", "\(name) is started again and again (\(restarts(container)))",
        advice:
          "It ends soon after each start: look at its last lines (docker logs --tail 50 \(name)) and at its configuration."
      )
    case .paused:
      return Finding(
        "docker.paused", "\(name) is paused",
        advice: "Somebody did that on purpose: ask who, and let it go on with: docker unpause \(name)")
    case .created:
      return Finding(
        "docker.notRunning", "\(name) was made and has never run\(reason(container))",
        advice: container.failure == nil ? "Start it." : "Mend what the engine says, then start it.")
    case .exited, .dead:
      return Finding("docker.notRunning", "\(name) does not run: \(ending(container))", advice: advice(container))
    case .removing, .other:
      return Finding(
        "docker.notRunning", "\(name) does not run: the engine says \(container.status.rawValue)",
        advice: "Look at it: docker inspect \(name)")
    }
  }

  private static func restarts(_ container: Container) -> Sentence {
    container.restarts == 1 ? "Docker counts 1 restart" : "Docker counts \(container.restarts) restarts"
  }

  private static func reason(_ container: Container) -> Sentence {
    container.failure.map { ": \($0)" } ?? ""
  }

  private static func ending(_ container: Container) -> Sentence {
    if container.status == .dead { return "it could not be removed, and cannot be started (dead)" }
    let code: Sentence = container.exitCode.map { " with exit code \($0)" } ?? ""
    let time: Sentence = container.finishedAt.map { " at \($0)" } ?? ""
    let memory: Sentence = container.isOutOfMemory ? ", out of memory" : ""
    return "it ended\(time)\(code)\(memory)\(reason(container))"
  }

  private static func advice(_ container: Container) -> Sentence {
    if container.status == .dead { return "Remove it and make it anew." }
    if container.isOutOfMemory {
      return "The kernel ended it for want of memory: look at its limit and at what else needs memory, then start it."
    }
    if container.exitCode == 137 {
      return """
        137 is KILL: by somebody, by the kernel, or by docker stop if the process ignores TERM. It does not prove a crash. Look who stopped it, \
        then start it.
        """
    }
    return "Look at its last lines (docker logs --tail 50 \(container.name)), then start it."
  }
}
