// npm start: installs and builds what is missing, then runs `bin/watchfire up` in this process's place.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { build, install, main, root } from './prepare.mjs'

main(() => {
  install()
  build()
  const child = spawn(process.execPath, [join(root, 'bin/watchfire'), 'up', ...process.argv.slice(2)], {
    stdio: 'inherit',
    cwd: root,
  })
  // A terminal's Ctrl-C reaches the child itself; signals sent to this process alone are handed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
})
