// A Chromium for tests of the pages, when the machine has one.
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const PLACES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  // Where `npx playwright-core install chromium` puts it.
  chromium.executablePath(),
]

/** Path of a browser; undefined when there is none. */
export const browserPath: string | undefined = PLACES.find(
  (path) => path !== undefined && path !== '' && existsSync(path),
)

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath!,
    // Containers have no user namespaces for its sandbox; it only sees pages of these tests.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
}

/** What went wrong in a page: errors on the console, exceptions, violations of its content security policy. */
export class PageProblems {
  readonly list: string[] = []

  static async watch(page: Page): Promise<PageProblems> {
    const problems = new PageProblems()
    page.on('console', (message) => {
      if (message.type() === 'error') problems.list.push(`${message.text()} (${message.location().url})`)
    })
    page.on('pageerror', (error) => problems.list.push(error.message))
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`),
      )
    })
    return problems
  }
}

/** Share of the pixels of the first canvas that are drawn on, 0…1. */
export function drawnShare(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector('canvas')
    const context = canvas?.getContext('2d')
    if (!canvas || !context || canvas.width === 0) return 0
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
    let drawn = 0
    for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) drawn++
    return drawn / (data.length / 4)
  })
}
