// ModulesTests
