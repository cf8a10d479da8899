// npm run build: builds what changed; `-- --force` builds everything.
import { build, install, main } from './prepare.mjs'

main(() => {
  install()
  build({ force: process.argv.includes('--force') })
})
