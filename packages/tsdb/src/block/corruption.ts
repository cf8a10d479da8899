// The error of damaged files: it names the file and the place.

/** Bytes on disk that are not what the format says. */
export class CorruptionError extends Error {
  override name = 'CorruptionError'
  readonly file: string
  /** Offset of the damaged item in the file, bytes. */
  readonly offset: number

  constructor(file: string, offset: number, reason: string) {
    super(`${file}: ${reason} at offset ${offset}`)
    this.file = file
    this.offset = offset
  }
}
