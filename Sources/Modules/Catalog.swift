package import Steps

extension Catalog {
  /// Every module there is. A new one is one file and one line here.
  package static let standard = Catalog([
    AnyStepModule(CommandRun.self),
    AnyStepModule(CoturnLogModule.self),
    AnyStepModule(FileAge.self),
    AnyStepModule(FileExists.self),
    AnyStepModule(FilePermissions.self),
    AnyStepModule(HostCPU.self),
    AnyStepModule(HostDescriptors.self),
    AnyStepModule(HostDisk.self),
    AnyStepModule(HostLimits.self),
    AnyStepModule(HostLoad.self),
    AnyStepModule(HostMemory.self),
    AnyStepModule(HostSysctl.self),
    AnyStepModule(HTTPRequestModule.self),
    AnyStepModule(LogReviewModule.self),
    AnyStepModule(ProcessRunning.self),
    AnyStepModule(STUNBehaviour.self),
    AnyStepModule(STUNBinding.self),
    AnyStepModule(TCPConnect.self),
    AnyStepModule(TLSCertificate.self),
    AnyStepModule(TLSFilesModule.self),
    AnyStepModule(TLSHandshakeModule.self),
    AnyStepModule(TURNAllocate.self),
    AnyStepModule(TURNAmplification.self),
    AnyStepModule(TURNCapacity.self),
    AnyStepModule(TURNCredentials.self),
    AnyStepModule(TURNDrain.self),
    AnyStepModule(TURNExpiry.self),
    AnyStepModule(TURNExternalAddress.self),
    AnyStepModule(TURNOpenRelay.self),
    AnyStepModule(TURNPool.self),
    AnyStepModule(TURNPorts.self),
    AnyStepModule(TURNRelay.self),
  ])
}
