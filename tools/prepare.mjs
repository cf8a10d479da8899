// Makes a fresh clone runnable: installs and builds only what is missing or older than its sources.
// Plain JavaScript with no imports but Node's own, because it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const stamps = join(root, '.cache')
const OLDEST_NODE = [20, 19]

/** Runs a command in the project's root; its output is shown. Throws when it fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (done.error) throw done.error
  if (done.status !== 0) {
    const error = new Error(`${command} ${args.join(' ')} ended with ${done.signal ?? `code ${done.status}`}`)
    error.exitCode = done.status ?? 1
    throw error
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    throw new Error(`Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.versions.node}`)
}

/** Hash of names, sizes and times of all source files: cheap, and changes whenever a file does. */
function fingerprint(paths, accepts) {
  const hash = createHash('sha256')
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat) return
    if (stat.isDirectory()) {
      for (const name of readdirSync(path).sort())
        if (!['node_modules', 'dist', 'wasm', '.cache', 'testdata'].includes(name)) visit(join(path, name))
    } else if (accepts(path)) hash.update(`${relative(root, path)} ${stat.size} ${stat.mtimeMs}\n`)
  }
  for (const path of paths) visit(join(root, path))
  return hash.digest('hex')
}

function unchanged(name, key) {
  const file = join(stamps, name)
  return existsSync(file) && readFileSync(file, 'utf8') === key
}

function remember(name, key) {
  mkdirSync(stamps, { recursive: true })
  writeFileSync(join(stamps, name), key)
}

/** Installs the locked dependencies if the lock file is not the one they were installed from. */
export function install() {
  checkNode()
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(join(root, 'node_modules')) && unchanged('installed', lock)) return
  // Somebody may have run `npm ci` or `npm install` by hand: npm's own record of it counts too.
  const record = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(record) && statSync(record).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) {
    remember('installed', lock)
    return
  }
  console.log('installing dependencies …')
  run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'])
  remember('installed', lock)
}

const isSource = (path) =>
  /\.(ts|tsx|css|html|json|mjs|svg)$/.test(path) && !/\.(test|fuzz|bench)\.tsx?$/.test(path)

/** Builds kernels, packages, apps and pages, each only when its sources changed. */
export function build({ force = false } = {}) {
  const began = Date.now()
  let built = false
  const step = (name, paths, outputs, work) => {
    const key = fingerprint(paths, isSource)
    if (!force && unchanged(name, key) && outputs.every((output) => existsSync(join(root, output)))) return
    console.log(`building ${name} …`)
    work()
    remember(name, key)
    built = true
  }
  step(
    'kernels',
    ['packages/kernels/assembly', 'packages/kernels/build.mjs'],
    ['packages/kernels/wasm/kernels.wasm'],
    () => run(process.execPath, ['packages/kernels/build.mjs']),
  )
  step(
    'packages and apps',
    [
      'packages',
      'apps/server',
      'apps/alertmanager',
      'apps/dashboards',
      'apps/inference',
      'apps/watchfire',
      'tsconfig.json',
      'tsconfig.base.json',
    ],
    ['apps/watchfire/dist/main.js'],
    () => run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']),
  )
  step(
    'pages',
    ['apps/ui', 'packages/datamodel/src', 'packages/promql/src/parser'],
    ['apps/ui/dist/server.html'],
    () =>
      run(process.execPath, ['../../node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'], {
        cwd: join(root, 'apps/ui'),
      }),
  )
  if (built) console.log(`built in ${((Date.now() - began) / 1000).toFixed(1)} s`)
}

/** Runs a script's body; a failed command ends the process with its code, anything else with a message. */
export function main(body) {
  try {
    body()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(error?.exitCode ?? 1)
  }
}
