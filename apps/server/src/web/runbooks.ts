// Runbooks of the shipped alerts, so that the links in their annotations lead somewhere. Markdown, served as text.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { sendText } from './reply.ts'

/** Registers `GET /runbooks/<alert>` for the files `<alert>.md` of a folder. */
export function registerRunbooks(app: FastifyInstance, folder: string): void {
  app.get<{ Params: { name: string } }>('/runbooks/:name', async (request, reply) => {
    const { name } = request.params
    // Letters and digits only: no name leads out of the folder.
    if (!/^[A-Za-z0-9]+$/.test(name)) return sendText(reply, 404, 'Not found\n')
    try {
      return await sendText(reply, 200, await readFile(join(folder, `${name}.md`), 'utf8'))
    } catch {
      return sendText(reply, 404, `There is no runbook ${name}\n`)
    }
  })
}
