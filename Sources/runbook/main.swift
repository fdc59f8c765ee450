import Commands

await exitRunbook(arguments: Array(CommandLine.arguments.dropFirst()))
