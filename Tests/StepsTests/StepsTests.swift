// StepsTests
