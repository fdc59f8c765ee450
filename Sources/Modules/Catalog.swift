package import Steps

extension Catalog {
  /// Every module there is. A new one is one file and one line here.
  package static let standard = Catalog([
    AnyStepModule(CommandRun.self),
    AnyStepModule(HostDisk.self),
    AnyStepModule(HostLoad.self),
    AnyStepModule(HostMemory.self),
    AnyStepModule(STUNBinding.self),
    AnyStepModule(TURNAllocate.self),
    AnyStepModule(TURNRelay.self),
  ])
}
