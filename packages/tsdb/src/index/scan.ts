// A pass over a long section of an index in windows, entry by entry, with its checksum.
import { CorruptionError } from '../block/corruption.ts'
import { crc32c } from '../block/crc32c.ts'
import { ByteReader } from '../wal/bytes.ts'
import type { PagedFile } from './paged-file.ts'

const WINDOW_BYTES = 256 * 1024

/**
 * Calls `entry` with a reader that stands at each entry and its offset in the file; `entry` consumes one entry. It may be called again for
 * an entry that the window had cut off: it must do nothing lasting when it leaves `failed` set. Throws CorruptionError when an entry does not end in the section or the checksum,
 * which follows it, differs. `from` = start of the checksummed bytes.
 */
export function scanSection(
  file: PagedFile,
  from: number,
  firstEntry: number,
  end: number,
  entry: (reader: ByteReader, offset: number) => void,
): void {
  let size = WINDOW_BYTES
  let window = new Uint8Array(Math.min(size, end - from))
  let position = from
  let summed = from
  let crc = 0
  const reader = new ByteReader()
  while (position < end) {
    const length = Math.min(size, end - position)
    if (length > window.length) window = new Uint8Array(length)
    const bytes = window.subarray(0, length)
    if (file.readInto(bytes, position) !== length)
      throw new CorruptionError(file.path, position, 'the file is shorter than it was')
    crc = crc32c(bytes, summed - position, length, crc)
    summed = position + length
    let done = Math.max(0, Math.min(firstEntry - position, length))
    const start = done
    while (done < length) {
      reader.reset(bytes, done, length)
      entry(reader, position + done)
      if (reader.failed) break
      done = reader.position
    }
    if (done === start && start < length) {
      if (position + length >= end)
        throw new CorruptionError(file.path, position + done, 'an entry is cut off')
      size *= 2
    }
    position += done
  }
  if (summed < end) throw new Error('BUG: a section was not read to its end')
  const tail = file.view(end, 4)
  const want = ((tail[0]! << 24) | (tail[1]! << 16) | (tail[2]! << 8) | tail[3]!) >>> 0
  if (want !== crc)
    throw new CorruptionError(
      file.path,
      from,
      `checksum mismatch expected:${want.toString(16)}, actual:${crc.toString(16)}`,
    )
}
