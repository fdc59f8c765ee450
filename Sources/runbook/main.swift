import Commands

await exitRunbook()
