// Results of unit tests as JUnit XML.

export interface JunitCase {
  readonly name: string
  readonly failures: readonly string[]
  /** '' = none. */
  readonly error: string
}

export interface JunitSuite {
  readonly name: string
  /** `2006-01-02T15:04:05`, '' when the file could not be read. */
  readonly timestamp: string
  readonly cases: readonly JunitCase[]
}

/** The document, without a line break at its end. */
export function junitXml(suites: readonly JunitSuite[]): string {
  return `<testsuites>${suites.map(suiteXml).join('')}</testsuites>`
}

function suiteXml({ name, timestamp, cases }: JunitSuite): string {
  const failures = cases.reduce((sum, test) => sum + test.failures.length, 0)
  const errors = cases.filter(({ error }) => error !== '').length
  // A case that stands for a file that could not be read is no test.
  const tests = errors > 0 ? 0 : cases.length
  const attributes = [
    `name="${escape(name)}"`,
    `tests="${tests}"`,
    `failures="${failures}"`,
    `errors="${errors}"`,
    'skipped="0"',
    `timestamp="${escape(timestamp)}"`,
  ]
  return `<testsuite ${attributes.join(' ')}>${cases.map(caseXml).join('')}</testsuite>`
}

function caseXml({ name, failures, error }: JunitCase): string {
  const parts = failures.map((failure) => `<failure>${escape(failure)}</failure>`)
  if (error !== '') parts.push(`<error>${escape(error)}</error>`)
  return `<testcase name="${escape(name)}">${parts.join('')}</testcase>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}

function escape(text: string): string {
  return text
    .replace(/[&<>"'\t\n\r]/g, (char) => ENTITIES[char]!)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
}
