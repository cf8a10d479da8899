// `promtool push metrics`: sends a text exposition to a remote write receiver.
import { STATUS_CODES } from 'node:http'
import { quoteString } from '@watchfire/datamodel'
import { readText } from '../../../config/index.ts'
import { EXIT, type Io } from '../io.ts'
import { ApiClient } from '../query/client.ts'
import { snappy, writeRequest } from './write-request.ts'

export interface PushOptions {
  readonly url: string
  /** Path of the receiver below the URL. */
  readonly path: string
  /** '' = none. */
  readonly httpConfigFile: string
  readonly headers: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Name of the protobuf message. */
  readonly message: string
  readonly timeoutMs: number
  /** Empty = standard input. */
  readonly files: readonly string[]
}

const V1 = 'prometheus.WriteRequest'
const V2 = 'io.prometheus.write.v2.Request'
const HEADERS = {
  'content-encoding': 'snappy',
  'content-type': 'application/x-protobuf',
  'x-prometheus-remote-write-version': '0.1.0',
}

export async function pushMetrics(options: PushOptions, io: Io): Promise<number> {
  const { url: server, httpConfigFile, headers, timeoutMs, message, files } = options
  if (message !== V1) {
    const why =
      message === V2
        ? `protobuf message ${quoteString(V2)} is not supported yet`
        : `invalid protobuf message ${quoteString(message)}, must be ${V1} or ${V2}`
    io.err(`  FAILED: ${why}\n`)
    return EXIT.failure
  }
  const client = new ApiClient({ server, httpConfigFile, headers, timeoutMs })
  const push = async (text: () => string, done: string): Promise<boolean> => {
    try {
      const body = snappy(writeRequest(text(), options.labels, io.now()))
      const answer = await client.post(options.path, body, HEADERS)
      if (Math.floor(answer.status / 100) !== 2)
        throw new Error(
          `server returned HTTP status ${answer.status} ${STATUS_CODES[answer.status] ?? ''}: ${answer.body}`,
        )
      io.out(`  SUCCESS: ${done} pushed to remote write.\n`)
      return true
    } catch (error) {
      io.err(`  FAILED: ${(error as Error).message}\n`)
      return false
    }
  }
  try {
    if (files.length === 0) {
      const text = await io.stdin()
      io.out('Parsing standard input\n')
      return (await push(() => text, 'metrics')) ? EXIT.success : EXIT.failure
    }
    let failed = false
    for (const path of files) {
      io.out(`Parsing metrics file ${path}\n`)
      failed = !(await push(() => readText(path), `metrics file ${path}`)) || failed
    }
    return failed ? EXIT.failure : EXIT.success
  } finally {
    await client.close()
  }
}
