import { afterEach, expect, test, vi } from 'vitest'
import { runInference, runTraffic } from './cli.ts'
import { startInference } from './index.ts'

let out = ''
let err = ''
function capture(): void {
  out = err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
}
afterEach(() => vi.restoreAllMocks())

test('--help prints every flag and ends well', async () => {
  capture()
  expect([await runInference(['--help']), await runTraffic(['--help'])]).toEqual([0, 0])
  for (const flag of ['--port', '--host', '--models-dir', '--traffic', '--url', '--day'])
    expect(out).toContain(flag)
})

test('unknown flags and unusable values are said and end badly', async () => {
  capture()
  expect(await runInference(['--prot=1'])).toBe(2)
  expect(err).toContain("Unknown option '--prot'")
  expect(await runInference(['--port=70000'])).toBe(1)
  expect(err).toContain('--port must be a whole number from 0 to 65535, not "70000"')
  expect(await runInference(['--log-level=loud'])).toBe(1)
  expect(await runInference(['--port=0', '--models-dir=/nowhere/at/all'])).toBe(1)
  expect(err).toContain('cannot read model folder /nowhere/at/all')
  expect(await runTraffic(['--url=nonsense'])).toBe(1)
})

test('a port in use is a clear message', async () => {
  const inference = await startInference({ port: 0 })
  capture()
  expect(await runInference([`--port=${inference.port}`])).toBe(1)
  expect(err).toContain('another program uses this port')
  await inference.close()
})
