// Entry of `bin/watchfire`: picks the command, turns errors into a message and an exit code.
const HELP = `usage: watchfire [command] [flags]

  watchfire [flags]               the server alone, with Prometheus's flags (--help lists them)
  watchfire up                    everything: server, Alertmanager, dashboards, sample service and traffic
  watchfire alertmanager          an Alertmanager alone
  watchfire promtool              checks of configuration and rules, rule unit tests, queries
  watchfire amtool                alerts, silences, routes and templates of an Alertmanager, as amtool
  watchfire inference             the sample inference service alone
  watchfire traffic               sample traffic for an inference service

Each command has --help.
`

async function run(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv
  // Commands are loaded when asked for: the sample service needs no server, and the other way round.
  switch (command) {
    case 'up':
      return (await import('./up/up.ts')).up(rest)
    case 'alertmanager':
      return (await import('./commands.ts')).alertmanager(rest)
    case 'amtool':
      return (await import('@watchfire/alertmanager')).runAmtool(rest)
    case 'inference':
      return (await import('@watchfire/inference')).runInference(rest)
    case 'traffic':
      return (await import('@watchfire/inference')).runTraffic(rest)
    case 'promtool':
      return (await import('@watchfire/server')).runPromtool(rest)
    case 'help':
      process.stdout.write(HELP)
      return 0
    default:
      if (command !== undefined && !command.startsWith('-')) {
        process.stderr.write(`watchfire: unknown command "${command}"\n\n${HELP}`)
        return 1
      }
      return (await import('./commands.ts')).server(argv)
  }
}

try {
  process.exit(await run(process.argv.slice(2)))
} catch (error) {
  const code = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 1
  process.stderr.write(`watchfire: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(code)
}
