// ProbeTests
