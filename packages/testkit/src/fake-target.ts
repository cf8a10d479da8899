// Targets to scrape in tests: they answer what they are told to, on a free port.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** An HTTP server whose answer can be changed while it runs. */
export class FakeTarget {
  readonly #server: Server
  answer: Answer
  readonly address: string
  requests = 0

  private constructor(server: Server, answer: Answer, address: string) {
    this.#server = server
    this.answer = answer
    this.address = address
  }

  static async start(answer: Answer): Promise<FakeTarget> {
    const server = createServer((request, response) => {
      target.requests++
      target.answer(request, response)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const target: FakeTarget = new FakeTarget(server, answer, `127.0.0.1:${port}`)
    return target
  }

  /** Answers with a text exposition made anew each time. */
  static text(body: () => string): Answer {
    return (_request, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(body())
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((done) => this.#server.close(() => done()))
  }
}
