// Where the parts of an installation lie, seen from this package in `src/` as well as in `dist/`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Root of the checkout (or of the image). */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url))
/** Built pages. */
export const UI_DIR: string = `${ROOT}apps/ui/dist`
/** The launcher, for child processes. */
export const LAUNCHER: string = `${ROOT}bin/watchfire`
/** Shipped configuration, rules and dashboards. */
export const DEPLOY_DIR: string = `${ROOT}deploy`

/** Runbooks of the shipped alerts. */
export const RUNBOOKS_DIR: string = `${ROOT}docs/runbooks`

/** Version of Watchfire. */
export const VERSION: string = (
  JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string }
).version
