// Exports of the module; signatures and layouts are described in src/contract.ts. No managed allocation, no
// start function; tables are read-only. Mutable WebAssembly globals would belong to one instance.
export { crc32c } from './crc32c'
export { xorInit, xorAppend, xorAppendAt, xorResume, xorDecode } from './xor'
export { decodeFloats, instantFloats, addRow, extremeRow } from './columns'
export { windowFloats } from './window'
export { foldSeries, foldMerge } from './fold'
export { snappyBound, snappyEncode, snappyDecodedLength, snappyDecode } from './snappy'
export { parseNumber } from './number'
export { formatNumber, formatPoints } from './format'
export { scanText } from './scan'
export { histogramImageSize, histogramDecode, histogramResume } from './histogram-read'
export { histogramEncode, histogramInit, histogramAppend } from './histogram-write'
export { xor2Decode } from './xor2'
