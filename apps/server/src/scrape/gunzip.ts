// Unpacks a body, bounded: a few kilobytes may claim to be gigabytes.
import { gunzipSync } from 'node:zlib'
import { bodySizeError, ScrapeError } from './errors.ts'

const HEADER_BYTES = 10
/** zlib's name → Go's words. */
const MESSAGES: Readonly<Record<string, string>> = {
  Z_BUF_ERROR: 'unexpected EOF',
  Z_DATA_ERROR: 'flate: corrupt input',
}

/** Throws `ScrapeError` for damaged input and for more than `sizeMax` bytes. Synchronous: 1 ms a megabyte. */
export function gunzipBody(packed: Buffer, sizeMax: number): Buffer {
  if (packed.length === 0) throw new ScrapeError('EOF')
  if (packed.length < HEADER_BYTES) throw new ScrapeError('unexpected EOF')
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) throw new ScrapeError('gzip: invalid header')
  try {
    return gunzipSync(packed, { maxOutputLength: sizeMax })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ERR_BUFFER_TOO_LARGE') throw bodySizeError()
    throw new ScrapeError(
      MESSAGES[code] ?? `gzip: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    )
  }
}
