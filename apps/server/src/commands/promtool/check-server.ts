// `promtool check healthy` and `check ready`: asks a running server.
import { ApiClient } from './query/client.ts'
import { EXIT, type Io } from './io.ts'

/** Prints the server's answer; anything but 200 fails. */
export async function checkServerStatus(
  server: string,
  path: string,
  httpConfigFile: string,
  io: Io,
): Promise<number> {
  const client = new ApiClient({ server, httpConfigFile, headers: {}, timeoutMs: 10_000 })
  try {
    const { status, body } = await client.get(path)
    if (status !== 200) throw new Error(`check failed: URL=${client.server}, status=${status}`)
    io.err(`  SUCCESS:  ${body}\n`)
    return EXIT.success
  } catch (error) {
    io.err(`${(error as Error).message}\n`)
    return EXIT.failure
  } finally {
    await client.close()
  }
}
