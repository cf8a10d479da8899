import fastify from 'fastify'
import { expect, it } from 'vitest'
import { registerLintApi } from './api-lint.ts'
import { ApiError } from './errors.ts'
import type { WebOptions } from './options.ts'
import { sendError } from './reply.ts'

const DATA: Record<string, string[]> = {
  labelValues: ['temperature_celsius', 'up'],
  labelNames: ['__name__', 'job', 'instance'],
}

function open() {
  const app = fastify()
  app.setErrorHandler(async (error, _request, reply) =>
    sendError(reply, error instanceof ApiError ? error : new ApiError('internal', String(error))),
  )
  const options = {
    pool: {
      metadata: async ({ what }: { what: string }) => ({
        ok: true,
        body: Buffer.from(JSON.stringify({ status: 'success', data: DATA[what] })),
      }),
    },
    ingest: { metadata: async () => [{ metric: 'temperature_celsius', type: 'gauge' }] },
    rules: { groups: () => [{ rules: [{ name: 'job:up:sum', type: 'recording' }] }] },
  }
  registerLintApi(app, options as unknown as WebOptions)
  return app
}

it('answers with what is wrong about a query and how to correct it', async () => {
  const app = open()
  const query = encodeURIComponent('rate(temperature_celsius[5m]) > job:up:sum{jobs="x"}')
  const answer = await app.inject(`/lint_query?query=${query}`)
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toEqual({
    status: 'success',
    data: {
      findings: [
        {
          rule: 'rate-of-gauge',
          severity: 'warning',
          start: 0,
          end: 29,
          position: '1:1',
          message:
            '"temperature_celsius" is a gauge: rate() takes every fall of its value for a restarted counter; deriv() gives its change',
          proposal: 'deriv(temperature_celsius[5m]) > job:up:sum{jobs="x"}',
        },
      ],
    },
  })
})

it('refuses what is no query', async () => {
  const answer = await open().inject('/lint_query?query=sum(')
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({
    errorType: 'bad_data',
    error: 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis',
  })
})
