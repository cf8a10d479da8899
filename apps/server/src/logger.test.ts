import { expect, it } from 'vitest'
import { createLogger } from './logger.ts'

function lines(options: Parameters<typeof createLogger>[0] = {}) {
  const out: string[] = []
  return { out, logger: createLogger({ now: () => 0, write: (line) => out.push(line), ...options }) }
}

it('writes logfmt with quoted values and the fields of its parents', () => {
  const { out, logger } = lines()
  logger
    .child({ component: 'web' })
    .info('Server is ready to receive web requests.', { n: 1, err: 'a "b"\n' })
  expect(out).toEqual([
    'time=1970-01-01T00:00:00.000Z level=info msg="Server is ready to receive web requests." component=web n=1 err="a \\"b\\"\\n"\n',
  ])
})

it('writes JSON and leaves out what is below its level', () => {
  const { out, logger } = lines({ format: 'json', level: 'warn' })
  logger.info('no')
  logger.error('yes', { err: new Error('broken'), n: 2 })
  expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time: '1970-01-01T00:00:00.000Z', level: 'error', msg: 'yes', err: 'broken', n: 2 },
  ])
})
