// npm test: installs, builds, checks the house rules and types, then runs every test.
// Arguments go to vitest: `npm test -- packages/promql`.
import { build, install, main, run } from './prepare.mjs'

main(() => {
  install()
  build()
  const filters = process.argv.slice(2)
  if (filters.length === 0) {
    run(process.execPath, ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0'])
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json'])
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'apps/ui'])
  }
  run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...filters])
})
