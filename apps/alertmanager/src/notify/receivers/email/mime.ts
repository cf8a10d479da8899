// Writes mails: headers, and text and HTML as alternatives in quoted-printable.

/** A header that cannot break out of its line: what is not plain ASCII is encoded (RFC 2047, Q). */
export function encodeHeader(value: string): string {
  if (/^[\t -~]*$/.test(value)) return value
  const words: string[] = []
  let word = ''
  // An encoded word has at most 75 characters, 12 of them around the text.
  for (const char of value) {
    const encoded = encodeQ(char)
    if (word.length + encoded.length > 63) {
      words.push(word)
      word = ''
    }
    word += encoded
  }
  return [...words, word].map((text) => `=?utf-8?q?${text}?=`).join(' ')
}

function encodeQ(char: string): string {
  if (char === ' ') return '_'
  if (/^[!-~]$/.test(char) && !/[=?_]/.test(char)) return char
  return [...Buffer.from(char)].map(hexByte).join('')
}

function hexByte(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** Most characters of an encoded line, with the mark that it goes on. */
const LINE_MAX = 76

/** Quoted-printable of a text with `\n` or `\r\n` line ends. */
export function quotedPrintable(text: string): string {
  return text
    .split(/\r\n|\n/)
    .map(encodeLine)
    .join('\r\n')
}

function encodeLine(line: string): string {
  const bytes = Buffer.from(line)
  let out = ''
  let width = 0
  bytes.forEach((byte, i) => {
    const isBlankAtEnd = (byte === 0x20 || byte === 0x09) && i === bytes.length - 1
    const isPlain = ((byte >= 0x20 && byte <= 0x7e) || byte === 0x09) && byte !== 0x3d && !isBlankAtEnd
    const piece = isPlain ? String.fromCharCode(byte) : hexByte(byte)
    if (width + piece.length > LINE_MAX - 1) {
      out += '=\r\n'
      width = 0
    }
    out += piece
    width += piece.length
  })
  return out
}

export interface MailPart {
  readonly contentType: string
  readonly text: string
}

/** A whole mail. `headers` are encoded already. */
export function writeMail(
  headers: readonly (readonly [string, string])[],
  parts: readonly MailPart[],
  boundary: string,
): string {
  const head = [
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Type: multipart/alternative;  boundary=${boundary}`,
    'MIME-Version: 1.0',
  ]
  const body = parts.map(
    ({ contentType, text }) =>
      `--${boundary}\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: ${contentType}\r\n\r\n${quotedPrintable(text)}\r\n`,
  )
  return `${head.join('\r\n')}\r\n\r\n${body.join('')}--${boundary}--\r\n`
}
